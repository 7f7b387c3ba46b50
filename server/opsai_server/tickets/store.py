"""The store: tickets, evidence, ticks and heartbeats in one SQLite file that all programs share."""
