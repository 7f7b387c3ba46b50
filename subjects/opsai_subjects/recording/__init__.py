"""A recorded incident, opened as sources with a clock of its own."""
