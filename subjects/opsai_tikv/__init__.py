"""The TiKV adapter: PD and TiKV in their own terms."""
