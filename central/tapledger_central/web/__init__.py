"""Central's HTTP: who may ask, what they may ask, and how a refusal looks."""
