"""The ways to a device: opened here and nowhere else, so that every byte is counted and can be recorded."""
