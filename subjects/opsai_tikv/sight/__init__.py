"""What `opsai check` says: which source can be seen, as whom, and what to set."""
