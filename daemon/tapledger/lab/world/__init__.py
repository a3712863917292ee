"""A chain of shops in one thread: the product's own code on virtual time, in a world that breaks by a seed.

``simulation`` lives some days and says what was kept; the same seed gives the same days, byte for byte.
"""
