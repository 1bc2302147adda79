"""The bits of an index set when all sets are as likely; clustered ones can be written in less."""

from __future__ import annotations

import numpy as np
import torch
from numpy.typing import NDArray


def log2_binomial(size: int, counts: NDArray[np.int64]) -> NDArray[np.float64]:
    """Give log2 C(size, k) for each k: the bits that name one of all sets of k indices out of `size`.

    Parameters
    ----------
    size : int
        Coordinates, d.
    counts : ndarray of int64, shape (w,)
        Kept coordinates, 0 <= k <= d.

    Returns
    -------
    ndarray of float64, shape (w,)
        Exactly 0 at k = 0 and k = d.
    """
    kept = torch.from_numpy(counts).to(torch.float64)
    whole = torch.lgamma(torch.tensor(size + 1.0, dtype=torch.float64))
    nats = (whole - torch.lgamma(kept + 1.0)) - torch.lgamma(size - kept + 1.0)
    return np.asarray(nats.clamp_(min=0.0).numpy() / np.log(2.0))
