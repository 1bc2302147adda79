"""What changed between two masks: the coordinates that were added (+) and those that were dropped (-).

w rows, d coordinates, k in a mask. A mask is a row of k increasing coordinates.
"""

from __future__ import annotations

import torch
from torch import Tensor

from algorithms.kernels.merge import absent
from algorithms.payloads import Bits, SignValues, Sparse
from algorithms.voting.paper_bits import positions


def swaps(update: Tensor, chosen: Tensor, masks: Tensor, most: int) -> tuple[Sparse, Tensor]:
    """Move each row's mask towards what it would choose now, by at most `most` additions and as many drops.

    Parameters
    ----------
    update : Tensor, shape (w, d)
        Decides by magnitude: the strongest additions and the weakest drops come first, the lowest index among equals.
    chosen : Tensor, shape (w, k), int64
        The k coordinates that each row would choose now.
    masks : Tensor, shape (w, k), int64
        Where it comes from.
    most : int
        Additions at most, and drops.

    Returns
    -------
    changes : Sparse
        +1 where a coordinate is added, -1 where one is dropped.
    masks : Tensor, shape (w, k)
        The masks with these changes made.

    Raises
    ------
    ValueError
        If the masks are not as long as what is chosen.

    Notes
    -----
    Both sets have k members, so as many can be added as dropped and the length of a mask never changes. Additions and
    drops travel as one set with a sign each: log2(1 / 2 phi) + 1 + 2 bits, which is what the paper's two sets cost.

    References
    ----------
    Ozfatura, Ozfatura, Gündüz, "Distributed Sparse SGD with Majority Voting", 2020, arXiv:2011.06495 (add-drop).
    """
    (w, d), k = update.shape, chosen.shape[1]
    if masks.shape != (w, k):
        raise ValueError(f"mask: expected {k} coordinates in each of {w} rows, got shape {tuple(masks.shape)}")
    base = torch.arange(w, device=update.device)[:, None] * d
    fresh, stale = _absent(chosen + base, masks + base), _absent(masks + base, chosen + base)
    strong = update.gather(1, chosen).abs().masked_fill_(~fresh, -1.0)
    weak = update.gather(1, masks).abs().masked_fill_(~stale, torch.inf)
    most = min(most, k)
    first = strong.sort(dim=1, descending=True, stable=True).indices[:, :most]
    last = weak.sort(dim=1, stable=True).indices[:, :most]
    counts = fresh.sum(dim=1).clamp(max=most)
    taken = torch.arange(most, device=update.device) < counts[:, None]
    added, dropped = chosen.gather(1, first), masks.gather(1, last)
    row = torch.arange(w, device=update.device)[:, None].expand(w, most)[taken]
    moved = masks.clone()
    moved[row, last[taken]] = added[taken]
    places = torch.cat([(added + base)[taken], (dropped + base)[taken]])
    return _signed(places, d, counts), moved.sort(dim=1).values


def toggles(before: Tensor, after: Tensor, d: int) -> Sparse:
    """Tell what turns one mask of k coordinates into another: +1 where one is added, -1 where one is dropped."""
    if before.shape != after.shape:
        raise ValueError(f"mask: expected {len(after)} coordinates, got {len(before)}")
    added, dropped = after[_absent(after, before)], before[_absent(before, after)]
    return _signed(torch.cat([added, dropped]), d, torch.tensor([len(added)]))


def _absent(these: Tensor, those: Tensor) -> Tensor:
    """Mark the entries of one increasing sequence that are not in another, in the shape of the first."""
    a, b = these.reshape(-1), those.reshape(-1)
    if a.is_cpu:
        return torch.from_numpy(absent(a.numpy(), b.numpy())).view(these.shape)
    if not len(b):
        return torch.ones_like(these, dtype=torch.bool)
    near = torch.searchsorted(b, a).clamp_(max=len(b) - 1)
    return (b[near] != a).view(these.shape)


def _signed(places: Tensor, d: int, counts: Tensor) -> Sparse:
    """Build rows of `counts` additions and as many drops, whose places row * d + index come additions first."""
    order = places.sort().indices
    bounds = torch.zeros(len(counts) + 1, dtype=torch.int64)
    torch.cumsum(2 * counts.cpu(), 0, out=bounds[1:])
    plus = (torch.arange(len(places), device=places.device) < len(places) // 2)[order]
    paper = Bits.of(len(counts), indices=2 * positions(counts.cpu().numpy(), d))
    return Sparse(d, bounds, places[order] % d, SignValues(plus), "block", paper=paper)
