"""PromQL over samples held in memory: for recordings and scraped targets, never in front of a real Prometheus."""
