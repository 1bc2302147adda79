"""Linear sketches: small tables of sums from which the large coordinates of a vector can be told."""

from algorithms.sketches.count_sketch import CountSketch

__all__ = ["CountSketch"]
