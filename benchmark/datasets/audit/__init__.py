"""What is wrong with a split, in numbers."""
