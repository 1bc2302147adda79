"""Sparse rows as flat arrays: checking them, finding them in a matrix, scattering them into a vector or a matrix."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from algorithms.codecs import Ragged
from algorithms.codecs.bitstream import Integers
from algorithms.kernels import Kernel
from algorithms.kernels.gaps import rises


def check_support(size: int, indptr: Tensor, indices: Tensor) -> Ragged:
    """Give the rows' bounds, or raise ValueError unless these are w sets of increasing indices in 0..size-1."""
    if not 1 <= size < 1 << 32:
        raise ValueError(f"Sparse.size: expected 1 <= d < 2**32 coordinates, got {size}")
    if indices.ndim != 1 or indices.dtype not in (torch.int32, torch.int64):
        came = f"{indices.dtype} {tuple(indices.shape)}"
        raise ValueError(f"Sparse.indices: expected int32 or int64, shape (m,), got {came}")
    bounds, entries = indptr.numpy(), indices.numel()
    if bounds.ndim != 1 or not bounds.size or bounds[0] or bounds[-1] != entries or (np.diff(bounds) < 0).any():
        raise ValueError(f"Sparse.indptr: expected to rise from 0 to {indices.numel()}, got {indptr.tolist()[:8]}...")
    if not (_rises(bounds, indices.numpy(), size) if indices.is_cpu else _rise(bounds, indices, size)):
        raise ValueError(f"Sparse.indices: expected increasing indices in 0..{size - 1} in each row, got others")
    return Ragged(bounds)


def _rise(bounds: Integers, indices: Tensor, size: int) -> bool:
    if not indices.numel():
        return True
    falls = indices[1:] <= indices[:-1]
    inner = bounds[(bounds > 0) & (bounds < indices.numel())]
    falls[torch.from_numpy(inner - 1).to(indices.device)] = False  # between two rows it may fall
    low, high = (end.long() for end in indices.aminmax())  # int32 may not hold the size
    return not bool(falls.any() | (low < 0) | (high >= size))


def _rises_by_torch(indptr: Integers, indices: NDArray[Any], size: int) -> bool:
    return _rise(indptr, torch.from_numpy(indices), size)


_rises = Kernel(rises, _rises_by_torch)


def nonzero_entries(matrix: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """Find what is not zero in a matrix, shape (w, d): bounds of the rows, indices (int64), values."""
    if matrix.ndim != 2:
        raise ValueError(f"matrix: expected shape (w, d), got {tuple(matrix.shape)}")
    w, d = matrix.shape
    flat = matrix.reshape(-1)
    if flat.is_cuda:
        where = flat.nonzero().squeeze(1)
    else:
        where = torch.from_numpy(np.flatnonzero(flat.numpy() != 0))  # a quarter of the time of torch's nonzero
    edges = torch.arange(w + 1, device=where.device) * d
    indptr = torch.searchsorted(where, edges)
    owner = torch.arange(w, device=where.device).repeat_interleave(indptr.diff(), output_size=where.numel())
    return indptr.cpu(), where - owner * d, flat[where]


def flat_positions(rows: Ragged, indices: Tensor, size: int) -> Tensor:
    """Give the place of each kept coordinate in a (w, d) matrix laid out row after row, int64, shape (m,)."""
    starts = torch.arange(rows.rows, device=indices.device) * size
    return rows.spread(starts) + indices


def scatter_add(total: Tensor, indices: Tensor, values: Tensor) -> None:
    """Add each value at its index, in place and always in the order given.

    On the host one loop over the entries does so. On a GPU atomics would add in any order; `index_put_` sorts the
    entries by index, stably, and adds equal ones deterministically.
    """
    if total.is_cuda:
        total.index_put_((indices.long(),), values, accumulate=True)
    else:
        total.index_add_(0, indices, values)
