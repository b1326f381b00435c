"""Metrics: arrays in, one value per user out. Each registers itself where it is defined, see ``register``."""
