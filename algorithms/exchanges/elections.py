"""Which coordinates are worth fetching, told from estimates of them, and which of those fetched are kept.

d coordinates, of which k are kept.
"""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor

from algorithms.compressors.selection import largest
from algorithms.exchanges.exempt import Split
from algorithms.payloads import Bits, Sparse
from algorithms.streams import Stream

Election = Callable[[Tensor, Tensor, int, Stream], Tensor]


def largest_estimates(estimates: Tensor, norm: Tensor, count: int, stream: Stream) -> Tensor:
    """Elect the `count` coordinates of largest estimated magnitude, increasing; ties go to the lowest."""
    return largest(estimates[None], count)[0]


def heavymix(estimates: Tensor, norm: Tensor, count: int, stream: Stream) -> Tensor:
    """Elect the heavy coordinates, and random others up to `count`.

    Parameters
    ----------
    estimates : Tensor, shape (d,)
    norm : Tensor, shape ()
        Estimated 2-norm l of the vector.
    count : int
        k. Heavy is a coordinate with estimate**2 >= l**2 / k; of more than k heavy ones the largest are taken.
    stream : Stream
        The same for all who elect.

    Returns
    -------
    Tensor, shape (k,), int64
        Increasing.

    Notes
    -----
    A k/d-contraction with high probability. The paper prints the estimate without the square, which is meant.

    References
    ----------
    Ivkin et al., "Communication-efficient Distributed SGD with Sketching", NeurIPS 2019, Algorithm 1.
    """
    heavy = estimates.square() * count >= norm.square()
    if int(heavy.sum()) >= count:
        return largest_estimates(estimates, norm, count, stream)
    keys = stream.at("heavymix").bits(torch.tensor([0], device=estimates.device), len(estimates))[0].long()
    keys[heavy] = -(1 << 40)
    return torch.sort(torch.sort(keys, stable=True).indices[:count]).values


ELECTIONS: dict[str, Election] = {"largest": largest_estimates, "heavymix": heavymix}


def keep_largest(mean: Tensor, columns: Tensor, split: Split, k: int) -> Sparse:
    """Keep the k largest of the compressed coordinates at hand, and all exact ones.

    Parameters
    ----------
    mean : Tensor, shape (m,)
        What the coordinates at hand hold.
    columns : Tensor of int64, shape (m,)
        Which these are, increasing; all exact ones are among them.
    k : int
        May be 0.

    Returns
    -------
    Sparse
        One row of d coordinates; `paper` bits are 32 for each number, none for indices.
    """
    chosen = split.exact[columns]
    if k:
        others = torch.nonzero(~chosen).view(-1)
        chosen[others[largest(mean[others][None], k)[0]]] = True
    places = torch.nonzero(chosen).view(-1)
    paper = Bits.of(1, values=32 * len(places))
    return Sparse.rows_of(len(split.exact), columns[places][None], mean[places][None], paper=paper)
