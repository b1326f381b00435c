"""What commands show: tables of what there is, of what was planned and found; progress."""
