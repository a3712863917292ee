"""Kinds of members, hold-outs, and new rules tried on old sales."""
