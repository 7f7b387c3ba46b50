"""Doing harm to a local cluster on purpose, and undoing it whatever happens."""
