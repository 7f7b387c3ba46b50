"""What every adapter must satisfy, as checks that its author runs: `checks.py`."""
