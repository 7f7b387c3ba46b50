"""Grading: the watcher and an investigator over recordings whose causes are known."""
