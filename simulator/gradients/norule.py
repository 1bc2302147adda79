"""What a gradient method says about a model that it cannot do."""

from __future__ import annotations


class NoRule(ValueError):
    """A layer, or the way layers are put together, that a method cannot differentiate worker by worker."""
