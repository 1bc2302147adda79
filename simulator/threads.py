"""Threads over chunks, one intra-op thread each, and memory that is not given back between chunks."""

from __future__ import annotations

import ctypes
import os
import sys
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from types import TracebackType
from typing import Self, TypeVar

import torch

from algorithms.kernels import use

Item = TypeVar("Item")
Result = TypeVar("Result")

# glibc's malloc.h
_M_TRIM_THRESHOLD, _M_TOP_PAD, _M_MMAP_MAX = -1, -2, -4
_KEEP_BYTES = 1 << 30
_TOP_PAD_BYTES = 64 << 20


def prepare(kernels: str = "auto") -> None:
    """Make this process ready for a run: one thread an operation, memory that is kept, kernels of the chosen kind."""
    one_thread()
    keep_memory()
    use(kernels)


def one_thread() -> None:
    """Run every torch operation of this thread, and of threads started later, on one core.

    The number of intra-op threads decides how a product is cut and so how it rounds; with one thread the bits are those
    of the operation alone. Call it once, at start.
    """
    torch.set_num_threads(1)


def keep_memory() -> bool:
    """Ask glibc to reuse freed memory rather than to return it to the system.

    Fresh pages are 3.5 times slower to write than used ones, and without this each large activation gets fresh pages.
    Set BITCLOCK_MALLOC=system in the environment to leave the allocator alone.

    Returns
    -------
    bool
        Whether the allocator was told; False, and nothing done, anywhere but on Linux with glibc.
    """
    if not sys.platform.startswith("linux") or os.environ.get("BITCLOCK_MALLOC") == "system":
        return False
    try:
        process = ctypes.CDLL(None)
        process.gnu_get_libc_version  # noqa: B018  (other C libraries lack it, and their mallopt means other things)
        settings = ((_M_MMAP_MAX, 0), (_M_TRIM_THRESHOLD, _KEEP_BYTES), (_M_TOP_PAD, _TOP_PAD_BYTES))
        return all(process.mallopt(key, value) == 1 for key, value in settings)
    except (OSError, AttributeError):
        return False


class ChunkPool:
    """Apply a function to chunks on a fixed number of threads.

    Parameters
    ----------
    threads : int
        1 or less runs everything in the caller. Results never depend on it, as long as chunks share no state that
        they write.

    Notes
    -----
    Threads live as long as the pool, so what they keep for themselves (replicas of a module) is built once. Use it as a
    context manager or call `close`.
    """

    def __init__(self, threads: int = 1) -> None:
        self.threads = max(1, threads)
        # each thread again: libraries below torch may otherwise start from their own default
        self._pool = ThreadPoolExecutor(threads, "chunk", initializer=one_thread) if threads > 1 else None

    def map(self, function: Callable[[Item], Result], items: Iterable[Item]) -> list[Result]:
        """Return `function(item)` of every item, in the order of the items.

        Parameters
        ----------
        function : callable
            Called from several threads at once.
        items : iterable
            The chunks.

        Raises
        ------
        Exception
            Whatever the first failing item (by position, not by time) raised. Items that had not begun by then are
            never begun; none is still running.
        """
        work = list(items)
        if self._pool is None or len(work) <= 1:
            return [function(item) for item in work]
        futures = [self._pool.submit(function, item) for item in work]
        try:
            return [future.result() for future in futures]
        finally:
            for future in futures:
                future.cancel()
            for future in futures:
                if not future.cancelled():
                    future.exception()

    def close(self) -> None:
        """End the threads."""
        if self._pool is not None:
            self._pool.shutdown()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


def deterministic_gpu() -> None:
    """Make a GPU give the same bits every time: no TF32, no autotuning, no atomics."""
    os.environ.setdefault("CUBLAS_WORKSPACE_CONFIG", ":4096:8")
    torch.use_deterministic_algorithms(True)
    torch.backends.cudnn.benchmark = False
    torch.backends.cudnn.allow_tf32 = False
    torch.backends.cuda.matmul.allow_tf32 = False
