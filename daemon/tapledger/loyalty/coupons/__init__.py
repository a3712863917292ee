"""Coupons: issued, held, redeemed, restored; and what there is only so many of."""
