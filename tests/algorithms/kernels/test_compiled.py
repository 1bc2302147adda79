"""Which form of a kernel runs, and what is said where it is not the one that was wanted."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pytest

from algorithms.kernels import compiled, fallbacks, kernel, use


def by_numpy(values: np.ndarray) -> float:
    return float(values[values > 0].sum())


@kernel(reference=by_numpy)
def positive_sum(values: np.ndarray) -> float:
    total = 0.0
    for value in values:
        if value > 0:
            total += value
    return total


@kernel(reference=by_numpy)
def cannot_compile(values: np.ndarray) -> float:
    return sum(open(value) for value in values)  # type: ignore[misc]


VALUES = np.array([1.0, -2.0, 3.0])


@pytest.fixture(autouse=True)
def fresh(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setattr(compiled, "_failed", {})
    yield
    use("auto")


@pytest.mark.parametrize("mode", compiled.MODES)
def test_every_mode_gives_the_same_number(mode: str) -> None:
    use(mode)
    assert positive_sum(VALUES) == 4.0
    assert fallbacks() == []


def test_what_does_not_compile_runs_as_its_reference_and_says_so() -> None:
    assert cannot_compile(VALUES) == 4.0
    (said,) = fallbacks()
    assert said.startswith("kernel cannot_compile ran uncompiled: it does not compile")


def test_compiled_asked_for_by_name_does_not_fall_back() -> None:
    use("compiled")
    with pytest.raises(compiled.numba.core.errors.NumbaError):
        cannot_compile(VALUES)


def test_without_numba_the_reference_runs_and_it_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(compiled, "numba", None)
    assert positive_sum(VALUES) == 4.0
    assert fallbacks() == ["kernel positive_sum ran uncompiled: Numba is not installed"]
    with pytest.raises(ValueError, match="kernels: expected auto or reference without Numba, got 'compiled'"):
        use("compiled")


def test_an_unknown_mode_is_refused() -> None:
    with pytest.raises(ValueError, match="kernels: expected one of auto, compiled, reference, got 'fast'"):
        use("fast")
