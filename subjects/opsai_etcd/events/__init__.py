"""What happened in a window, by logs and metrics."""
