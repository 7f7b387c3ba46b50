"""Load on a local cluster: go-ycsb by named patterns, at a rate that can be set while it runs."""
