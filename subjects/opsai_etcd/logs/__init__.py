"""The members' logs: their grammar, their decisive messages, and what they hold."""
