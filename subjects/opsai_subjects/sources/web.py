"""The only HTTP client: it can GET, nothing else."""
