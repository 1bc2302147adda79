"""Many networks at once: the same collectives timed on all of them, in one pass over arrays where formulas do."""

from network_models.batch.batch import Batch
from network_models.batch.stars import is_plain_star

__all__ = ["Batch", "is_plain_star"]
