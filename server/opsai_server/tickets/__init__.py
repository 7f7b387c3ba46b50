"""Tickets and diagnoses: values and their store."""
