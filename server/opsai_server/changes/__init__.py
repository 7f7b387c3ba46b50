"""Changes of tickets, told to clients that asked to be told: in the protocol of 2026 and in those with sessions."""
