"""Vectors kept as one number: what they equal, and that arithmetic leaves them even."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from network_models.even import copied, even, is_even, lifted, most, put, taken

FINITE = st.floats(-1e12, 1e12)


def test_what_is_even() -> None:
    assert is_even(even(2.5, 3)) and even(2.5, 3).tolist() == [2.5] * 3
    assert is_even(even(1.0, 1)) and not is_even(np.ones(3)) and not is_even(np.ones(1))
    assert even(1.0, 10**9).nbytes == 8 * 10**9  # its length, not its memory


@given(FINITE, FINITE, st.integers(1, 9))
def test_lifted_arithmetic_is_that_of_numpy_to_the_bit(a: float, b: float, count: int) -> None:
    for function in (np.add, np.subtract, np.multiply, np.maximum):
        written = function(np.full(count, a), np.full(count, b))
        kept = lifted(function, even(a, count), even(b, count))
        assert is_even(kept) and kept.tobytes() == written.tobytes()
        assert lifted(function, even(a, count), b).tobytes() == written.tobytes()
        mixed = lifted(function, even(a, count), np.full(count, b))
        assert not is_even(mixed) and mixed.tobytes() == written.tobytes()


def test_reading_and_writing_some_entries() -> None:
    rows = np.array([2, 0])
    assert is_even(taken(even(4.0, 3), rows)) and taken(np.array([1.0, 2.0, 3.0]), rows).tolist() == [3.0, 1.0]
    same = even(4.0, 3)
    assert put(same, rows, np.array([7.0, 8.0])).tolist() == [8.0, 4.0, 7.0] and same.tolist() == [4.0] * 3
    own = np.zeros(3)
    assert put(own, rows, np.ones(2)) is own and own.tolist() == [1.0, 0.0, 1.0]
    assert most(even(-1.0, 2)) == -1.0 and most(np.array([1.0, 3.0])) == 3.0
    assert copied(same) is same and copied(own) is not own
    with pytest.raises(ValueError, match="read-only"):
        same[0] = 1.0
