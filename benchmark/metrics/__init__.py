"""Metrics: arrays in, one value per user out. ``names`` alone is light enough for the suite to import."""
