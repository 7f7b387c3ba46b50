"""Which stage of a write or a read is slow: the stages in their order, measured, compared with their past, and judged."""
