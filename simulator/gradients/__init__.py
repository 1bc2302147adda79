"""Per-worker gradients."""

from simulator.gradients.engine import GradientEngine

__all__ = ["GradientEngine"]
