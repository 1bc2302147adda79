"""From a translator's logits to a translation."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor

from simulator.tasks.text.subwords import BEGIN, END


def greedy(forward: Callable[[Tensor], Tensor], sources: Tensor) -> list[list[int]]:
    """Translate by always taking the likeliest next symbol.

    Parameters
    ----------
    forward : callable
        Pairs (N, 2, L) -> logits (N, V, L), those of position t independent of the translation's symbols after t.
    sources : Tensor, shape (N, L), int64
        Source sentences, filled up.

    Returns
    -------
    list of list of int
        Each sentence's symbols, at most L - 1, without the end mark.

    Notes
    -----
    The whole prefix goes through the model for every symbol: L passes. That asks nothing of a model but its logits.
    """
    targets = torch.zeros_like(sources)
    targets[:, 0] = BEGIN
    done = torch.zeros(len(sources), dtype=torch.bool, device=sources.device)
    for t in range(sources.shape[1] - 1):
        targets[:, t + 1] = forward(torch.stack((sources, targets), 1))[:, :, t].argmax(1)
        done |= targets[:, t + 1] == END
        if bool(done.all()):
            break
    rows: list[list[int]] = targets[:, 1:].tolist()
    return [row[: row.index(END)] if END in row else row for row in rows]
