"""What must hold in a TiKV cluster, one module per part."""
