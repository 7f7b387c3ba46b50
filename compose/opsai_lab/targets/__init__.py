"""Where a local cluster runs: containers, processes, or somebody else's machines."""
