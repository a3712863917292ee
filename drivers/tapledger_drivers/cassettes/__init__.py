"""Recordings of devices: made while a driver works, replayed through the very same driver."""
