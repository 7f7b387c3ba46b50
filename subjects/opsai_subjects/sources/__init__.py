"""What a cluster is read through: HTTP, Prometheus, log files."""
