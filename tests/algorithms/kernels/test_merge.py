"""What one increasing sequence lacks of another, by walking and by searching."""

from __future__ import annotations

import hypothesis.strategies as st
import numpy as np
from hypothesis import given, settings

from algorithms.kernels import use
from algorithms.kernels.merge import absent

sequences = st.sets(st.integers(0, 40)).map(sorted)


@settings(deadline=None)
@given(these=sequences, those=sequences)
def test_marks_what_is_not_there(these: list[int], those: list[int]) -> None:
    arrays = np.array(these, np.int64), np.array(those, np.int64)
    use("compiled")
    try:
        found = absent(*arrays).tolist()
    finally:
        use("auto")
    assert found == [entry not in those for entry in these] == absent.reference(*arrays).tolist()
