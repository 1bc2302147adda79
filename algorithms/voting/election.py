"""Electing k coordinates from the votes that each received.

d coordinates, k elected.
"""

from __future__ import annotations

from typing import Protocol

import torch
from torch import Tensor

from algorithms.streams import Stream


class Election(Protocol):
    """A rule that turns votes into a mask."""

    def __call__(self, votes: Tensor, keep: int, stream: Stream) -> Tensor:
        """Elect `keep` coordinates, increasing, given the votes of each, shape (d,), and a stream that all share."""
        ...


def most_votes(votes: Tensor, keep: int, stream: Stream) -> Tensor:
    """Elect the `keep` coordinates with most votes, drawing among those that are tied at the cut.

    Parameters
    ----------
    votes : Tensor, shape (d,)
        Whole numbers, at least 0.
    keep : int
        Coordinates elected, 1 <= k <= d.
    stream : Stream
        The same on every worker; breaks ties.

    Returns
    -------
    Tensor, shape (k,), int64
        Increasing.

    Raises
    ------
    ValueError
        If `keep` is outside 1..d.

    Notes
    -----
    "Majority" means the most votes, not more than half of them. With ten voters most coordinates at the cut are tied,
    and the lowest index would favour the first layers; the authors' code leaves the order to ``torch.topk``.

    References
    ----------
    Ozfatura, Ozfatura, Gündüz, "Distributed Sparse SGD with Majority Voting", 2020, arXiv:2011.06495 (top-K vote).
    """
    require_seats(votes, keep)
    counts = torch.bincount(votes.long())
    at_least = counts.flip(0).cumsum(0).flip(0)  # coordinates with so many votes or more
    cut = int((at_least >= keep).sum()) - 1
    above = (votes > cut).nonzero().view(-1)
    tied = (votes == cut).nonzero().view(-1)
    keys = stream.at("ties").bits(torch.zeros(1, dtype=torch.int64, device=votes.device), tied)[0]
    drawn = tied[torch.sort(keys, stable=True).indices[: keep - len(above)]]
    return torch.cat([above, drawn]).sort().values


def lottery(votes: Tensor, keep: int, stream: Stream) -> Tensor:
    """Draw `keep` coordinates one after the other, each time with probability proportional to the votes.

    Parameters, returns and errors as in `most_votes`; also refused when fewer than `keep` coordinates have a vote.

    Notes
    -----
    Sequential draws without replacement are a race: coordinate i arrives after an exponential time of rate votes_i, and
    the first k are elected (the logarithm of it is the Gumbel top-k trick).

    References
    ----------
    Efraimidis, Spirakis, "Weighted random sampling with a reservoir", Information Processing Letters 97(5), 2006.
    Ozfatura, Ozfatura, Gündüz, "Distributed Sparse SGD with Majority Voting", 2020, arXiv:2011.06495 (random vote).
    """
    require_seats(votes, keep)
    running = (votes > 0).nonzero().view(-1)
    if len(running) < keep:
        raise ValueError(
            f"vote: expected votes for at least k = {keep} coordinates in a random vote, got {len(running)}"
        )
    words = stream.at("lottery").bits(torch.zeros(1, dtype=torch.int64, device=votes.device), running)[0]
    uniform = ((words.to(torch.int64) & 0xFFFFFFFF).to(torch.float64) + 0.5) * 2.0**-32
    arrival = -torch.log(uniform) / votes[running]
    return running[torch.sort(arrival, stable=True).indices[:keep]].sort().values


def require_seats(votes: Tensor, keep: int) -> None:
    """Raise ValueError unless 1 <= keep <= d."""
    if not 1 <= keep <= len(votes):
        raise ValueError(f"vote: expected to elect 1 <= k <= d = {len(votes)} coordinates, got k = {keep}")
