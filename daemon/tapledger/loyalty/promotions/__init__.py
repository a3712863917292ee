"""Promotions: what takes money off a basket, and on which terms. One file for each kind of benefit."""

from __future__ import annotations

from tapledger.loyalty.promotions.promotion import Benefit, Promotion

__all__ = ["Benefit", "Promotion"]
