"""What reasons: the investigation loop and its backends."""
