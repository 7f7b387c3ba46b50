"""Opening a cluster: from settings or from a recording, the same subject comes out."""
