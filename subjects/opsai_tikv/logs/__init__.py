"""The logs of TiKV and PD: their grammar, the lines that decide, and the search that a node itself offers."""
