"""The life of a membership: standing, cards, consent, merging, points by hand."""
