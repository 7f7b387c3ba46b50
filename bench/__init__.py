"""Measurements behind `make bench`: each number is measured when it is printed, and none is asserted."""
