"""Tables as files hold them, read and parsed into a log."""
