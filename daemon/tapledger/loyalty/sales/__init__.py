"""Selling and what comes back: baskets, tenders, returns, voids, exchanges, late credit."""
