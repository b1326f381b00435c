"""Compiled inner loops of the native models."""
