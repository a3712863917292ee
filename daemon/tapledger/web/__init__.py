"""The daemon's own pages and their API, for this machine only."""
