"""Gathering: every source read once for one instant."""
