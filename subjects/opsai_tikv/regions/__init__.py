"""Which regions are not well, and whether they have their majority."""
