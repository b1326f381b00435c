"""Splits on disk: a folder of mapped columns per part, with manifest, candidates and sampled negatives."""
