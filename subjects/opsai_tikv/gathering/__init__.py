"""One look: every source read once, the signals followed over the look-back, and what could not be read."""
