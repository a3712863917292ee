"""What is plugged in, which of it is whose, and who must be woken when that changes."""
