"""Compressors: tensor -> payload, row by row. A row's message depends on that row and its worker's draws only."""

from algorithms.compressors.base import Compressor, Piecewise, compress
from algorithms.compressors.dropping import Dropping
from algorithms.compressors.identity import Identity
from algorithms.compressors.qsgd import QSGD
from algorithms.compressors.randomk import RandomK
from algorithms.compressors.sign import ScaledSign, Sign
from algorithms.compressors.topk import TopK

__all__ = [
    "QSGD",
    "Compressor",
    "Dropping",
    "Identity",
    "Piecewise",
    "RandomK",
    "ScaledSign",
    "Sign",
    "TopK",
    "compress",
]
