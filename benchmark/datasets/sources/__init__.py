"""Where logs come from: known publishers, downloads, files of your own, generated data."""
