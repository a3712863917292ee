"""A shop's daemon: members, points, receipts and devices, decided locally, synced when central is there."""
