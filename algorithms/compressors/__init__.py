"""Compressors: tensor -> payload, row by row. A row's message depends on that row and its worker's draws only."""

from algorithms.compressors.base import Compressor, Piecewise, compress
from algorithms.compressors.dropping import Dropping
from algorithms.compressors.identity import Identity
from algorithms.compressors.one_magnitude import SparseBinary, SparseTernary
from algorithms.compressors.per_tensor import PerTensor
from algorithms.compressors.qsgd import QSGD
from algorithms.compressors.randomk import RandomK
from algorithms.compressors.sign import ScaledSign, Sign
from algorithms.compressors.topk import TopK

__all__ = [
    "QSGD",
    "Compressor",
    "Dropping",
    "Identity",
    "PerTensor",
    "Piecewise",
    "RandomK",
    "ScaledSign",
    "Sign",
    "SparseBinary",
    "SparseTernary",
    "TopK",
    "compress",
]
