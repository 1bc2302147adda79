"""Rows of floats that upset kernels: ties, zeros of both signs, NaN, infinities, subnormals, few typical values."""

from __future__ import annotations

from typing import Any

import hypothesis.strategies as st
import numpy as np
from numpy.typing import NDArray

SPECIAL = (0.0, -0.0, np.nan, -np.nan, np.inf, -np.inf, 1e-310, -1e-310, 1e-40, -1e-40, 1.0, -1.0, 1e38, -3e38)


@st.composite
def matrices(draw: st.DrawFn, max_rows: int = 6, max_columns: int = 3000) -> NDArray[Any]:
    """Rows of normal numbers, rounded or not, of which a share is replaced by special ones and a share by zeros."""
    w, d = draw(st.integers(0, max_rows)), draw(st.integers(1, max_columns))
    dtype = draw(st.sampled_from([np.float32, np.float64]))
    rng = np.random.default_rng(draw(st.integers(0, 999)))
    rows = rng.standard_normal((w, d))
    if draw(st.booleans()):
        rows = rows.round(draw(st.integers(0, 2)))
    share, zeros = (draw(st.sampled_from([0.0, 0.01, 0.2, 1.0])) for _ in range(2))
    special = rng.choice(draw(st.lists(st.sampled_from(SPECIAL), min_size=1)), (w, d))
    rows = np.where(rng.random((w, d)) < share, special, rows)
    rows[rng.random((w, d)) < zeros] = 0.0
    return rows.astype(dtype)
