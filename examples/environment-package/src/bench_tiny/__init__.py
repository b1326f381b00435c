"""An adapter for bench whose framework runs in an environment of its own."""

from pathlib import Path

LOCK_FILE = Path(__file__).with_name("tiny.txt")
"""Every package of the environment, with versions and hashes."""
