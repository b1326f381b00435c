"""Models in numpy and compiled code, without a framework; EASE alone solves with PyTorch, to use a GPU."""
