"""Recordings of devices: each *.jsonl here is replayed by tests/drivers/test_cassettes.py."""
