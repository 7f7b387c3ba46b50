"""A local cluster as ordinary processes of this machine, each with its own data folder and loopback address."""
