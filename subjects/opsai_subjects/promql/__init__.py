"""A PromQL evaluator for samples held in memory."""
