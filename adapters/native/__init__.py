"""Models in numpy and compiled code: no framework needed."""
