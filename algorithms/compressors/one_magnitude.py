"""Sparse messages whose entries share one magnitude: binary (SBC: one sign, too) and ternary (STC: a sign each).

w rows, N entries of a tensor, k = ceil(p N) kept. Both keep exactly k entries, of equal ones those of lowest index, and
fewer only where fewer differ from zero.
"""

from __future__ import annotations

import torch
from torch import Tensor

from algorithms.codecs import INDEX_CODES
from algorithms.codecs.golomb_counts import entries, share
from algorithms.codecs.rice import expected_rice_bits
from algorithms.cohort import Draw
from algorithms.compressors.selection import largest_entries, largest_of_signs
from algorithms.payloads import Bits, SharedValues, SignValues, Sparse, Values


class SparseBinary:
    """Keep the k largest or the k smallest entries of each row, whichever are larger on average, as that average.

    Parameters
    ----------
    density : float
        p, in (0, 1].
    index_code : str
        ``rice`` (the paper's), ``fixed``, ``gamma``, ``bitmap`` or ``auto``.

    Raises
    ------
    ValueError
        If `density` is no share in (0, 1], or the code is unknown.

    Notes
    -----
    P: the k largest entries, Q: the k largest of the negated ones; mu+ and mu- their means. If mu+ > mu- the row
    becomes +mu+ on P, else (equal means too) -mu- on Q. The paper selects by ``A >= min(P)``, which takes more than k
    where entries are equal, and entries of the wrong sign where fewer than k have the right one: here k is exact, and P
    and Q hold entries of their own sign only, so that a mean is over fewer where there are fewer.

    `paper` bits are k (b* + 1 / (1 - (1-p)^(2^b*))): nothing for the values, nor for the scale. The wire's Golomb-Rice
    parameter is each message's own best, which independent positions make b*.

    References
    ----------
    Sattler et al., "Sparse Binary Compression", 2018, Algorithm 2 (from memory; k = ceil(p N) as in the author's code).
    """

    def __init__(self, density: float = 0.01, index_code: str = "rice") -> None:
        self.density, self.index_code = share(density), _known(index_code)

    def __call__(self, rows: Tensor, draw: Draw) -> Sparse:
        k = entries(self.density, rows.shape[1])
        columns, magnitudes = largest_of_signs(rows, k)
        kept = magnitudes > 0
        means = magnitudes.sum(2) / kept.sum(2).clamp(min=1)
        positive = means[:, 0] > means[:, 1]
        row, side = torch.arange(len(rows), device=rows.device), (~positive).long()
        scales = torch.where(positive, means[:, 0], -means[:, 1])
        indices, keep = columns[row, side], kept[row, side]
        return _message(rows.shape[1], indices, keep, SharedValues(scales.float()), self, 0.0)

    def passes(self) -> float:
        """A pass of selection and one of gathering for each sign, one to write."""
        return 5.0


class SparseTernary:
    """Keep the k entries of largest magnitude of each row as mu times their sign, mu the mean of these magnitudes.

    Parameters
    ----------
    density, index_code
        As for `SparseBinary`.

    Notes
    -----
    A delta-contraction, as any top-k of which the mean is sent. `paper` bits are k (b* + 1 / (1 - (1-p)^(2^b*)) + 1).

    References
    ----------
    Sattler et al., "Robust and Communication-Efficient Federated Learning from Non-IID Data", 2019, Algorithm 1.
    """

    def __init__(self, density: float = 0.01, index_code: str = "rice") -> None:
        self.density, self.index_code = share(density), _known(index_code)

    def __call__(self, rows: Tensor, draw: Draw) -> Sparse:
        indices, values = largest_entries(rows, entries(self.density, rows.shape[1]))
        keep = values != 0
        mean = values.abs().sum(1) / keep.sum(1).clamp(min=1)
        return _message(rows.shape[1], indices, keep, SignValues(values[keep] > 0, mean.float()), self, 1.0)

    def passes(self) -> float:
        """A magnitude pass, two passes of selection, one of gathering, as for top-k."""
        return 4.0


def _known(index_code: str) -> str:
    if index_code != "auto" and index_code not in INDEX_CODES:
        raise ValueError(f"algorithm.index_code: expected one of auto, {', '.join(INDEX_CODES)}, got {index_code!r}")
    return index_code


def _message(
    size: int, indices: Tensor, keep: Tensor, values: Values, kind: SparseBinary | SparseTernary, value_bits: float
) -> Sparse:
    """Wrap the kept ones of the chosen columns, both of shape (w, k)."""
    counts = keep.sum(1).cpu()
    indptr = torch.cat([counts.new_zeros(1), counts.cumsum(0)])
    paper = Bits.of(
        len(keep), values=value_bits * counts.numpy(), indices=expected_rice_bits(kind.density) * counts.numpy()
    )
    chosen = indices.view(-1) if bool((counts == indices.shape[1]).all()) else indices[keep]
    message = Sparse(size, indptr, chosen, values, kind.index_code, paper=paper)
    _ = message.wire  # counted now: chunks are compressed on several threads, the whole is counted on one
    return message
