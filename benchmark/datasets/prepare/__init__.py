"""From a log to dense arrays, every step counted."""
