"""What commands print: lists, plans, progress."""
