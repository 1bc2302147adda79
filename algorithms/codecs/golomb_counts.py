"""What SBC's and STC's authors count for a message: by the papers' formula, and by their code, which is a bit dearer.

A model's tensors have N_t entries, of which k_t = ceil(p N_t) are sent. The third counter, what really travels, is the
payload's own.

References
----------
Sattler, Wiedemann, Müller, Samek, "Sparse Binary Compression: Towards Distributed Deep Learning with Minimal
Communication", 2018 (position encoding). Sattler, Wiedemann, Müller, Samek, "Robust and Communication-Efficient
Federated Learning from Non-IID Data", 2019 (STC). The code's formula: the first author's federated-learning simulator.
"""

from __future__ import annotations

import math
from collections.abc import Iterable

from algorithms.codecs.rice import expected_rice_bits

_DIGITS = 6  # 0.07 * 100 is a little above 7 in floating point, and shall be 7


def entries(density: float, size: int) -> int:
    """Give k = ceil(p N), the entries of a tensor that are sent; at least 1.

    Examples
    --------
    >>> entries(0.01, 250), entries(0.07, 100), entries(0.001, 10)
    (3, 7, 1)
    """
    return max(1, math.ceil(round(density * size, _DIGITS)))


def share(density: object, key: str = "algorithm.density") -> float:
    """Give `density` if it is a share in (0, 1], else raise ValueError."""
    if isinstance(density, bool) or not isinstance(density, (int, float)) or not 0 < density <= 1:
        raise ValueError(
            f"{key}: expected a share p in (0, 1], so that ceil(p N) of a tensor's N entries are sent, got {density!r}"
        )
    return float(density)


def theory_bits(sizes: Iterable[int], density: float, value_bits: float = 0.0) -> float:
    """Count a message as the papers print it: b* + 1 / (1 - (1-p)^(2^b*)) bits a position, no bits for scales.

    Parameters
    ----------
    sizes : iterable of int
        N_t, the entries of each tensor.
    density : float
        p, in (0, 1].
    value_bits : float
        Bits of each value: 0 for SBC, 1 for STC, 32 where values are floats.

    Returns
    -------
    float
        Expected bits, where positions are independent.
    """
    return sum(entries(density, size) * (expected_rice_bits(density) + value_bits) for size in sizes)


def repo_bits(sizes: Iterable[int], density: float, value_bits: float = 1.0) -> float:
    """Count a message as the authors' code does: q = (k+1) / (N+1) for p, one more bit a position, one a value.

    The published ratios contain both bits, though a Golomb code needs neither (and SBC's values take none): with them
    p = 0.1 % gives 2371 for every step and p = 1 % 3165 for every tenth.
    """
    total = 0.0
    for size in sizes:
        kept = entries(density, size)
        q = min(1.0, (kept + 1) / (size + 1))  # above 1 only where all are sent
        total += kept * (expected_rice_bits(q) + 1.0 + value_bits)
    return total


def compression_ratio(message_bits: float, size: int, steps: int = 1) -> float:
    """Give CR = 32 n d / bits, against d floats in each of the n local steps between messages; upstream only."""
    return 32.0 * steps * size / message_bits


def entropy_bits(density: float, value_bits: float) -> float:
    """Give the entropy of a coordinate, h(p) + value_bits p: H_sparse with 32 bits, H_ternary with 1 (STC).

    Examples
    --------
    >>> round(entropy_bits(0.01, 32) / entropy_bits(0.01, 1), 3)
    4.414
    """
    if not 0.0 < density < 1.0:
        return value_bits * density
    absent = 1.0 - density
    return -density * math.log2(density) - absent * math.log2(absent) + value_bits * density
