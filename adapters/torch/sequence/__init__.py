"""Models of the next item, given a history in the order of time: ``base.py`` holds what they share."""
