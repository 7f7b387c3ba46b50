"""The bench: demo, replay, evaluation, tickets on the terminal."""
