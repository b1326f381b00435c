"""Splits on disk: one file per part, with their manifest, candidates and sampled negatives."""
