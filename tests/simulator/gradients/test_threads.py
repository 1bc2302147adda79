"""The pool keeps order, reports the first failure, and pins every thread to one core's work."""

from __future__ import annotations

import subprocess
import sys
import threading
import time

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from simulator.threads import ChunkPool, keep_memory, one_thread


@given(items=st.lists(st.integers(), max_size=20), threads=st.integers(-1, 4))
def test_map_is_map(items, threads):
    with ChunkPool(threads) as pool:
        assert pool.map(lambda x: x * x, items) == [x * x for x in items]


def test_results_keep_the_order_of_the_items():
    def slow_first(i):
        time.sleep(0.02 if i == 0 else 0)
        return i

    with ChunkPool(3) as pool:
        assert pool.map(slow_first, range(6)) == list(range(6))
        assert pool.map(slow_first, iter([5, 4])) == [5, 4]


def test_inline_runs_in_the_caller():
    here = threading.get_ident()
    assert ChunkPool(1).map(lambda _: threading.get_ident(), range(3)) == [here] * 3
    with ChunkPool(2) as pool:
        assert pool.map(lambda _: threading.get_ident(), [0]) == [here]
        assert here not in pool.map(lambda _: threading.get_ident(), range(3))


def test_the_first_failing_chunk_by_position_is_reported():
    running = []

    def fail(i):
        running.append(i)
        try:
            if i == 1:
                time.sleep(0.03)
            if i in (1, 2):
                raise ValueError(f"chunk {i}")
            return i
        finally:
            running.remove(i)

    with ChunkPool(3) as pool:
        for _ in range(3):
            with pytest.raises(ValueError, match="chunk 1"):
                pool.map(fail, range(8))
            assert running == []  # nothing of the failed call is left behind
        assert pool.map(lambda i: i, range(4)) == [0, 1, 2, 3]


def test_every_thread_has_one_intra_op_thread():
    before = torch.get_num_threads()
    try:
        torch.set_num_threads(2)
        one_thread()
        with ChunkPool(2) as pool:
            assert pool.map(lambda _: torch.get_num_threads(), range(4)) == [1] * 4
        assert torch.get_num_threads() == 1
    finally:
        torch.set_num_threads(before)


def test_threads_are_reused_and_end():
    pool = ChunkPool(2)
    names = {name for _ in range(3) for name in pool.map(lambda _: threading.current_thread().name, range(8))}
    assert len(names) <= 2
    pool.close()
    assert not any(t.name in names for t in threading.enumerate())


SCRIPT = """
import torch
from simulator.threads import ChunkPool, keep_memory
print(keep_memory())
with ChunkPool(2) as pool:  # far more than one arena of a thread holds
    print(pool.map(lambda i: float(torch.full((20_000_000,), float(i)).max()), range(4)))
"""


def test_tuned_allocator_serves_large_blocks_in_threads():
    # in a process of its own: the setting cannot be undone
    command = [sys.executable, "-c", SCRIPT]
    environment = {"PATH": "", "OMP_NUM_THREADS": "1", "PYTHONPATH": ":".join(sys.path)}
    run = subprocess.run(command, env=environment, capture_output=True, text=True, check=True)
    told, values = run.stdout.splitlines()
    assert told in ("True", "False") and values == "[0.0, 1.0, 2.0, 3.0]"


def test_allocator_can_be_left_alone(monkeypatch):
    monkeypatch.setenv("BITCLOCK_MALLOC", "system")
    assert keep_memory() is False


def test_keep_memory_does_nothing_elsewhere(monkeypatch):
    monkeypatch.setattr(sys, "platform", "darwin")
    assert keep_memory() is False
