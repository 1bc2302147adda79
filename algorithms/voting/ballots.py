"""What a worker says when it votes: all its k largest coordinates, or which of them changed (add-drop).

w rows here, n workers, d coordinates, k in a mask.
"""

from __future__ import annotations

from typing import Protocol

import torch
from torch import Tensor

from algorithms.cohort import Cohort
from algorithms.compressors.selection import largest
from algorithms.gathered import Gathered
from algorithms.payloads import Bits, Marks, Sparse
from algorithms.state import Rows, Stateful
from algorithms.voting.changes import swaps, toggles
from algorithms.voting.paper_bits import positions


class Ballot(Protocol):
    """How votes are put into messages and counted."""

    def cast(self, cohort: Cohort, update: Tensor, keep: int, most: int) -> Sparse:
        """Vote with each row of `update`, shape (w, d), for `keep` coordinates, changing at most `most`."""
        ...

    def count(self, gathered: Gathered) -> Tensor:
        """Give the votes of each coordinate, shape (d,), at the server; a pure function of state and messages."""
        ...

    def announce(self, mask: Tensor, d: int) -> Sparse:
        """Tell the workers, who know the last one, what mask was elected."""
        ...

    def settle(self, votes: Tensor, mask: Tensor) -> None:
        """Remember the outcome."""
        ...


def top(cohort: Cohort, update: Tensor, keep: int, among: Tensor | None = None) -> Tensor:
    """Find each row's `keep` largest magnitudes, `among` some columns if given, chunk by chunk, shape (w, keep)."""

    def chunk(rows: slice) -> Tensor:
        return largest(update[rows] if among is None else update[rows].index_select(1, among), keep)

    return torch.cat(cohort.pool(chunk, cohort.chunks or (slice(0, 0),)))  # a part may host nobody


def marks(d: int, chosen: Tensor) -> Sparse:
    """Mark coordinates, shape (w, k), in a message that is their positions alone, in the papers' block code."""
    w, k = chosen.shape
    paper = Bits.of(w, indices=positions(torch.full((w,), k).numpy(), d))
    return Sparse.rows_of(d, chosen, Marks(chosen.numel(), chosen.device), index_code="block", paper=paper)


def heads(gathered: Gathered) -> Tensor:
    """Add up what the messages say, one vote a head whatever the weights; the sums are whole and so exact."""
    return gathered.payload.mean(torch.ones(len(gathered.workers)), list(gathered.chunks))


class WholeBallot(Stateful):
    """Every vote names all its coordinates (top-K vote, random vote)."""

    def cast(self, cohort: Cohort, update: Tensor, keep: int, most: int) -> Sparse:
        """See Ballot."""
        return marks(update.shape[1], top(cohort, update, keep))

    def count(self, gathered: Gathered) -> Tensor:
        """See Ballot."""
        return heads(gathered)

    def announce(self, mask: Tensor, d: int) -> Sparse:
        """See Ballot."""
        return marks(d, mask[None])

    def settle(self, votes: Tensor, mask: Tensor) -> None:
        """See Ballot."""


class GlobalReference(Stateful):
    """Add-drop against the last elected mask: a vote is that mask, plus a worker's additions, minus its drops.

    References
    ----------
    The authors' code of September 2020, before the preprint.
    """

    state_names = ("mask",)

    def __init__(self) -> None:
        self.mask: Tensor | None = None

    def cast(self, cohort: Cohort, update: Tensor, keep: int, most: int) -> Sparse:
        """See Ballot; the first vote is a whole one."""
        chosen = top(cohort, update, keep)
        if self.mask is None:
            return marks(update.shape[1], chosen)
        return swaps(update, chosen, self.mask.expand(len(update), -1), most)[0]

    def count(self, gathered: Gathered) -> Tensor:
        """See Ballot."""
        votes = heads(gathered)
        if self.mask is not None:
            votes[self.mask] += len(gathered.workers)
        return votes

    def announce(self, mask: Tensor, d: int) -> Sparse:
        """See Ballot; what changed, where that takes fewer bytes than the mask."""
        return shorter(marks(d, mask[None]), self.mask, mask)

    def settle(self, votes: Tensor, mask: Tensor) -> None:
        """See Ballot."""
        self.mask = mask


class LocalReference(Stateful):
    """Add-drop against each worker's own last vote, which so moves by a few coordinates a round.

    The server keeps every worker's vote; their sum, which the changes keep up to date, is all that it needs.

    References
    ----------
    The authors' code of December 2020; from memory, what the preprint describes.
    """

    state_names = ("masks", "votes", "mask")

    def __init__(self) -> None:
        self.masks = Rows("masks", torch.int64)
        self.votes: Tensor | None = None
        self.mask: Tensor | None = None

    def cast(self, cohort: Cohort, update: Tensor, keep: int, most: int) -> Sparse:
        """See Ballot; the first vote is a whole one."""
        chosen = top(cohort, update, keep)
        masks = self.masks.open(cohort, keep)
        if self.votes is None:
            masks.copy_(chosen)
            return marks(update.shape[1], chosen)
        message, moved = swaps(update, chosen, masks, most)
        masks.copy_(moved)
        return message

    def count(self, gathered: Gathered) -> Tensor:
        """See Ballot."""
        votes = heads(gathered)
        return votes if self.votes is None else votes.add_(self.votes)

    def announce(self, mask: Tensor, d: int) -> Sparse:
        """See Ballot; what changed, where that takes fewer bytes than the mask."""
        return shorter(marks(d, mask[None]), self.mask, mask)

    def settle(self, votes: Tensor, mask: Tensor) -> None:
        """See Ballot."""
        self.votes, self.mask = votes, mask


def shorter(whole: Sparse, before: Tensor | None, after: Tensor) -> Sparse:
    """Give a mask as a whole, or as the changes of the one before where that takes fewer bytes."""
    if before is None:
        return whole
    changed = toggles(before, after, whole.size)
    return changed if changed.bytes[0] < whole.bytes[0] else whole
