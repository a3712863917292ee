"""Stored value, points of other programmes, and what lapses."""
