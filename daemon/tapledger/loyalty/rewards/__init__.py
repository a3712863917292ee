"""What points are given for: rewards and draws."""
