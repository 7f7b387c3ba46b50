"""What the members' HTTP API answers."""
