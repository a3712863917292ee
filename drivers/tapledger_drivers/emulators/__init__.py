"""Devices that speak the real wire protocols. No driver imports this package."""
