"""An adapter of somebody else: a street of lamps, of which one knows the others."""
