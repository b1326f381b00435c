"""Statistics: arrays in, numbers out. Everything here works on stored rows only."""
