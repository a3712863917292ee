"""The virtual devices of the demo's shops: what stands on a bench, and the door by which it is moved."""
