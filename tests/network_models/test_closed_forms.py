"""Schedules on uniform links take the textbook's time, to 1e-9; large SMPI runs to 0.2 %.

a is the latency of a path (two links), c(m) the seconds of m bytes at the links' rate, w the ranks, k the pieces.
"""

import json
from collections.abc import Callable
from math import ceil, log2
from pathlib import Path

import numpy as np
import pytest

from network_models import star
from network_models.engines import vector
from network_models.engines.contention import contended
from network_models.schedules.call import Call, largest
from network_models.schedules.registry import SCHEDULES

FACTS = json.loads((Path(__file__).parents[1] / "fixtures" / "simgrid_flows.json").read_text())["all_reduce"]
A, M, B = 2e-3, 1e6, 1e8
POWERS, RANKS = (2, 4, 8, 16), (2, 3, 5, 6, 8, 16)


def c(size: float) -> float:
    return 8 * size / B


def took(collective: str, schedule: str, workers: int, mode: str = "collapsed", **settings: object) -> float:
    net = star(workers, B, B, A / 2, server_latency_s=A / 2, mode=mode, **{collective: schedule}, **settings)
    timing = net.collective(collective, range(workers), np.full(workers, 3.0), np.full(workers, M))
    return float(timing.finish.max()) - 3.0


def call_of(workers: int) -> Call:
    sizes = np.full(workers, M)
    return Call(sizes, largest(sizes), groups=(np.arange(workers // 2), np.arange(workers // 2, workers)))


def fold(w: int) -> int:
    return int(w & (w - 1) > 0)


def levels(w: int) -> int:
    return ceil(log2(w))


FORMS: dict[tuple[str, str], tuple[tuple[int, ...], Callable[[int], float]]] = {
    ("all_reduce", "ring"): (RANKS, lambda w: 2 * (w - 1) * (A + c(M / w))),
    ("all_reduce", "recursive_doubling"): (RANKS, lambda w: (int(log2(w)) + 2 * fold(w)) * (A + c(M))),
    ("all_reduce", "rabenseifner"): (
        RANKS,
        lambda w: 2 * int(log2(w)) * A + 2 * (1 - 0.5 ** int(log2(w))) * c(M) + 2 * fold(w) * (A + c(M)),
    ),
    ("all_reduce", "binomial_tree"): (RANKS, lambda w: 2 * levels(w) * (A + c(M))),
    ("all_reduce", "server"): (RANKS, lambda w: 2 * (A + w * c(M))),
    ("all_reduce", "sharded_server"): (RANKS, lambda w: 2 * (A + (w - 1) * c(M / w))),
    ("all_gather", "ring"): (RANKS, lambda w: (w - 1) * (A + c(M))),
    ("all_gather", "bruck"): (RANKS, lambda w: levels(w) * A + (w - 1) * c(M)),
    ("all_gather", "recursive_doubling"): (POWERS, lambda w: levels(w) * A + (w - 1) * c(M)),
    ("reduce_scatter", "ring"): (RANKS, lambda w: (w - 1) * (A + c(M / w))),
    ("reduce_scatter", "recursive_halving"): (POWERS, lambda w: levels(w) * A + (1 - 1 / w) * c(M)),
    ("broadcast", "binomial"): (RANKS, lambda w: levels(w) * (A + c(M))),
    ("broadcast", "star"): (RANKS, lambda w: A + (w - 1) * c(M)),
    ("reduce", "binomial"): (RANKS, lambda w: levels(w) * (A + c(M))),
    ("reduce", "direct"): (RANKS, lambda w: A + (w - 1) * c(M)),
    ("all_to_all", "direct"): (RANKS, lambda w: A + (w - 1) * c(M)),
    ("all_to_all", "pairwise"): (RANKS, lambda w: (w - 1) * (A + c(M))),
    ("gather", "direct"): (RANKS, lambda w: A + (w - 1) * c(M)),
    ("gather", "binomial"): (POWERS, lambda w: levels(w) * A + (w - 1) * c(M)),
    ("scatter", "direct"): (RANKS, lambda w: A + (w - 1) * c(M)),
    ("scatter", "binomial"): (POWERS, lambda w: levels(w) * A + (w - 1) * c(M)),
}


@pytest.mark.parametrize("mode", ["collapsed", "message"])
@pytest.mark.parametrize(("collective", "schedule"), FORMS)
def test_textbook(collective: str, schedule: str, mode: str) -> None:
    ranks, form = FORMS[collective, schedule]
    for workers in ranks:
        assert took(collective, schedule, workers, mode) == pytest.approx(form(workers), rel=1e-9)


@pytest.mark.parametrize("mode", ["collapsed", "message"])
@pytest.mark.parametrize("pieces", [1, 3, 8])
def test_pipelines(pieces: int, mode: str) -> None:
    for w in RANKS:
        chain = took("broadcast", "pipelined_chain", w, mode, segments=pieces)
        assert chain == pytest.approx((w + pieces - 2) * (A + c(M / pieces)), rel=1e-9)
        # One message flows while the next one's latency passes: the longer of filling the link and going round.
        piece = c(M / w / pieces)
        full, bare = A + 2 * (w - 1) * pieces * piece, 2 * (w - 1) * (A + piece) + (pieces - 1) * piece
        ring = took("all_reduce", "segmented_ring", w, mode, segments=pieces)
        assert ring == pytest.approx(max(full, bare), rel=1e-9)
        assert ring <= took("all_reduce", "ring", w) * (1 + 1e-12)


@pytest.mark.parametrize("mode", ["collapsed", "message"])
@pytest.mark.parametrize(("g", "k"), [(2, 2), (2, 3), (3, 2), (4, 4), (1, 5), (5, 1)])
def test_hierarchies_of_equal_groups(g: int, k: int, mode: str) -> None:
    expected = 2 * (g - 1) * (A + c(M / g)) + 2 * (k - 1) * (A + c(M / (g * k)))
    assert took("all_reduce", "hierarchical", g * k, mode, group_size=g) == pytest.approx(expected, rel=1e-9)
    if g in (k, k + 1):
        assert took("all_reduce", "torus_2d", g * k, mode) == pytest.approx(expected, rel=1e-9)


def test_unequal_groups_fold_into_the_smallest() -> None:
    # Five workers in groups of 3 and 2: worker 2 folds into worker 0 (a + c) and gets the result back (a + c); the
    # other four do two levels of two: 2 (a + c/2) + 2 (a + c/4).
    expected = 2 * (A + c(M)) + 2 * (A + c(M / 2)) + 2 * (A + c(M / 4))
    assert took("all_reduce", "hierarchical", 5, group_size=3) == pytest.approx(expected, rel=1e-9)


def test_every_schedule_that_can_be_vectors_is() -> None:
    net = star(6, B, B, A)
    workers = np.arange(6)
    apart = {
        name: not contended(SCHEDULES["all_reduce"][name](call_of(6)), net.paths, workers)
        for name in SCHEDULES["all_reduce"]
    }
    assert [name for name, alone in apart.items() if not alone] == ["sharded_server"]


@pytest.mark.parametrize("schedule", ["ring", "recursive_doubling", "rabenseifner"])
def test_simgrid_all_reduce(schedule: str) -> None:
    for ranks, expected in zip(FACTS["ranks"], FACTS["25 MB"][schedule], strict=True):
        net = star(ranks, "1 Gbit/s", "1 Gbit/s", "50 us", all_reduce=schedule)
        timing = net.all_reduce(None, 0.0, np.full(ranks, 25e6))
        assert timing.finish[0] == pytest.approx(expected, rel=2e-3)


@pytest.mark.parametrize("schedule", ["ring", "recursive_doubling"])
def test_small_messages_lack_what_mpi_spends_before_it_sends(schedule: str) -> None:
    for ranks, expected in zip(FACTS["ranks"], FACTS["4 kB"][schedule], strict=True):
        net = star(ranks, "1 Gbit/s", "1 Gbit/s", "50 us", all_reduce=schedule)
        ours = float(net.all_reduce(None, 0.0, np.full(ranks, 4000.0)).finish[0])
        assert 0.0 < expected - ours < 0.22e-3


def test_what_all_do_alike_is_one_number() -> None:
    for schedule in ("ring", "recursive_doubling", "rabenseifner", "torus_2d", "server", "sharded_server"):
        net = star(64, B, B, A, all_reduce=schedule)
        timing = net.all_reduce(None, 1.0, np.broadcast_to(M, 64))
        assert timing.finish.strides == (0,) and timing.finish.shape == (64,)
        other = star(64, B, [B] * 63 + [2 * B], A, all_reduce=schedule)  # not alike, but nobody is slower for it
        if schedule != "server":
            slow = other.all_reduce(range(64), np.full(64, 1.0), np.full(64, M))
            assert slow.finish.max() == pytest.approx(timing.finish[0], rel=1e-9)
    program = SCHEDULES["all_reduce"]["ring"](call_of(64))
    assert len(program.steps) == 3 and vector.play(net.paths, np.arange(64), np.zeros(64), program).finish.strides == (
        0,
    )
