"""What happened in a window, told from log lines and from series."""
