"""Scenarios: stories that a retailer can write, played through the use cases and the store of the daemon."""
