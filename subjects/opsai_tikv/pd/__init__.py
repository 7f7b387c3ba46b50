"""PD over its HTTP API: one module per kind of answer, and the client that asks."""
