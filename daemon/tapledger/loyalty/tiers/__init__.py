"""Tiers: metrics, upgrades, reviews, and how far the next one is."""
