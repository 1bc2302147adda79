"""Chooses between a compiled kernel and its reference, and remembers where it had to take the slower one."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Generic, ParamSpec, TypeVar

try:
    import numba
except ImportError:
    numba = None  # type: ignore[assignment]

P = ParamSpec("P")
R = TypeVar("R")
MODES = ("auto", "compiled", "reference")
_mode = "auto"
_failed: dict[str, str] = {}


def use(mode: str) -> None:
    """Choose what runs in this process: ``auto`` (compiled where that is possible), ``compiled`` or ``reference``.

    Raises
    ------
    ValueError
        If the word is unknown, or ``compiled`` is asked for without Numba.
    """
    global _mode
    if mode not in MODES:
        raise ValueError(f"kernels: expected one of {', '.join(MODES)}, got {mode!r}")
    if mode == "compiled" and numba is None:
        raise ValueError("kernels: expected auto or reference without Numba, got 'compiled'; pip install numba")
    _mode = mode


def fallbacks() -> list[str]:
    """Say which kernels ran as their references though compiled ones were wanted, and why."""
    if _mode == "reference":
        return []
    return [f"kernel {name} ran uncompiled: {reason}" for name, reason in sorted(_failed.items())]


def jit(function: Callable[P, R]) -> Callable[P, R]:
    """Compile a function at its first call, without the interpreter's lock and without reordering any sum.

    Its machine code is kept beside the source (or in the user's cache) for the next process. It may be called by
    kernels and by other compiled functions; without Numba it stays as it is.
    """
    if numba is None:
        return function
    # numpy's rules for division, so that no zero raises; the order of operations is the source's
    compiled: Callable[P, R] = numba.njit(nogil=True, cache=True, error_model="numpy")(function)
    return compiled


class Kernel(Generic[P, R]):
    """A function in two forms that give the same bits.

    Parameters
    ----------
    function : callable
        Loops over NumPy arrays, in the part of Python that Numba compiles.
    reference : callable
        The same by operations of NumPy or PyTorch.
    """

    def __init__(self, function: Callable[P, R], reference: Callable[P, R]) -> None:
        functools.update_wrapper(self, function)
        self.name, self.reference, self._compiled = function.__name__.strip("_"), reference, jit(function)

    def __call__(self, *args: P.args, **kwargs: P.kwargs) -> R:
        if _mode == "reference" or self.name in _failed:
            return self.reference(*args, **kwargs)
        if numba is None:
            _failed[self.name] = "Numba is not installed"
            return self.reference(*args, **kwargs)
        try:
            return self._compiled(*args, **kwargs)
        except numba.core.errors.NumbaError as error:
            if _mode == "compiled":
                raise
            _failed[self.name] = f"it does not compile ({str(error).strip().splitlines()[0]})"
            return self.reference(*args, **kwargs)


def kernel(reference: Callable[P, R]) -> Callable[[Callable[P, R]], Kernel[P, R]]:
    """Name the reference of the kernel that follows."""

    def decorate(function: Callable[P, R]) -> Kernel[P, R]:
        return Kernel(function, reference)

    return decorate
