"""Splits on disk: one file per part, and what lies beside them."""
