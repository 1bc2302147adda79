"""Compressors: tensor -> payload, row by row. A row's message depends on that row and its worker's draws only."""

from algorithms.compressors.base import Compressor, Piecewise, compress
from algorithms.compressors.dropping import Dropping
from algorithms.compressors.identity import Identity
from algorithms.compressors.one_magnitude import SparseBinary, SparseTernary
from algorithms.compressors.per_tensor import PerTensor
from algorithms.compressors.qsgd import QSGD
from algorithms.compressors.randomk import RandomK
from algorithms.compressors.sign import ScaledSign, Sign
from algorithms.compressors.sparse_floats import SparseFloats
from algorithms.compressors.sparse_levels import SparseLevels
from algorithms.compressors.sparse_signs import SparseSigns
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
    "SparseFloats",
    "SparseLevels",
    "SparseSigns",
    "SparseTernary",
    "TopK",
    "compress",
]
