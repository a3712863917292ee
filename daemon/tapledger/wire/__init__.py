"""What shop and central say to each other: versioned messages, their bytes and their signatures."""
