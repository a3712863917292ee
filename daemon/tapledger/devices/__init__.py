"""The shop's devices: one task each, their states, and the print queue."""
