"""Where trials run. ``local`` holds them in child processes of this machine."""
