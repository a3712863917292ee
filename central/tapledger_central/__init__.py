"""Central: takes every shop's events, keeps each member's state, and tells every other shop."""
