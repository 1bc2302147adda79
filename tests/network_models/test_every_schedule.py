"""What holds for every schedule in the registry, at every number of ranks: who knows what in the end, and the bytes."""

import numpy as np
import pytest

from network_models import star
from network_models.schedules.call import Call, largest
from network_models.schedules.registry import SCHEDULES
from network_models.schedules.step import Program

RANKS = (1, 2, 3, 4, 5, 6, 7, 8, 9, 12, 16)
EVERY = [(collective, name) for collective, schedules in SCHEDULES.items() for name in schedules]
OPTIMAL = ("ring", "segmented_ring", "hierarchical", "torus_2d", "sharded_server")


def ask(collective: str, name: str, ranks: int, sizes: np.ndarray | None = None, **settings: object) -> Program:
    sizes = np.full(ranks, 60.0) if sizes is None else sizes
    numbers = np.arange(ranks)
    if collective == "neighbours":
        other = (numbers + 1) % ranks
        settings["edges"] = (numbers[other != numbers], other[other != numbers])
    groups = tuple(np.array_split(numbers, -(-ranks // 3)))  # of two or three: unequal for many numbers of ranks
    return SCHEDULES[collective][name](Call(sizes, largest(sizes), groups=groups, **settings))  # type: ignore[arg-type]


def known(program: Program, begin: list[set]) -> list[set]:
    """Let everybody send all it knows: what each node knows in the end, segment by segment where they follow closely.

    A message holds what its sender knew when it entered the step; so what must come after something else does.
    """
    lags = {step.lag for step in program.steps} or {1}
    assert len(lags) == 1
    (lag,) = lags
    nodes = program.ranks + program.servers
    lanes = [[set(begin[node % nodes]) for node in range(nodes)] for _ in range(lag)]
    number = 0
    for step in program.steps:
        for _ in range(step.times):
            lane = lanes[number % lag]
            before = [frozenset(known) for known in lane]
            for source, destination in zip(step.source.tolist(), step.destination.tolist(), strict=True):
                lane[destination % nodes] |= before[source % nodes]
            number += 1
    return [set.intersection(*(lane[node] for lane in lanes)) for node in range(nodes)]


@pytest.mark.parametrize("ranks", RANKS)
@pytest.mark.parametrize(("collective", "name"), EVERY)
def test_everybody_ends_with_what_it_should(collective: str, name: str, ranks: int) -> None:
    program = ask(collective, name, ranks, segments=1 if name == "pipelined_chain" else 3)
    everything, own = set(range(ranks)), [{rank} for rank in range(ranks)]
    ends = known(program, own)
    if collective in ("all_reduce", "all_gather", "reduce_scatter", "all_to_all"):
        assert ends[:ranks] == [everything] * ranks
    elif collective in ("reduce", "gather"):
        assert ends[0] == everything
    elif collective in ("broadcast", "scatter"):
        assert all(0 in end for end in ends)
    else:
        assert all({rank, (rank - 1) % ranks} <= end for rank, end in enumerate(ends))
    assert program.ranks == ranks and (ranks > 1 or not program.total_bytes())


@pytest.mark.parametrize("ranks", RANKS[1:])
@pytest.mark.parametrize(("collective", "name"), EVERY)
def test_steps_are_well_formed(collective: str, name: str, ranks: int) -> None:
    for step in ask(collective, name, ranks).steps:
        assert step.times >= 1 and len(step.source) == len(step.destination) and (step.source != step.destination).all()
        assert (step.sizes >= 0).all() and step.sizes.shape == step.source.shape
        if step.symmetric:
            assert sorted(step.source) == sorted(step.destination) == sorted([*range(ranks)] * step.each(ranks))
        if step.shift:
            assert step.source.tolist() == list(range(ranks))
            assert step.destination.tolist() == [(rank + step.shift) % ranks for rank in range(ranks)]


@pytest.mark.parametrize("ranks", RANKS[1:])
def test_volume_of_all_reduces(ranks: int) -> None:
    for name in OPTIMAL:  # every rank sends (w-1)/w of the payload in each half, which is the least possible
        unequal = name == "hierarchical" and ranks in (4, 5, 7, 8, 16)
        total = ask("all_reduce", name, ranks).total_bytes()
        if unequal:  # the ranks beyond a group's smallest fold in and get everything back: 2 m each
            sizes = [len(group) for group in np.array_split(np.arange(ranks), -(-ranks // 3))]
            square = min(sizes) * len(sizes)
            assert total == pytest.approx(2 * (square - 1) * 60 + (ranks - square) * 120)
        else:
            assert total == pytest.approx(2 * (ranks - 1) * 60)
    levels = ranks.bit_length() - 1
    core, rest = 1 << levels, ranks - (1 << levels)
    doubling = ask("all_reduce", "recursive_doubling", ranks).total_bytes()
    assert doubling == pytest.approx(levels * core * 60 + 2 * rest * 60)
    halving = ask("all_reduce", "rabenseifner", ranks).total_bytes()
    assert halving == pytest.approx(2 * (core - 1) * 60 + 2 * rest * 60)
    assert ask("all_reduce", "binomial_tree", ranks).total_bytes() == pytest.approx(2 * (ranks - 1) * 60)


@pytest.mark.parametrize("ranks", RANKS[1:])
@pytest.mark.parametrize("name", SCHEDULES["all_gather"])
def test_all_gathers_bring_each_rank_every_other_payload_once(ranks: int, name: str) -> None:
    sizes = np.random.default_rng(ranks).integers(0, 1000, ranks).astype(float)
    program = ask("all_gather", name, ranks, sizes)
    received = np.zeros(ranks)
    for step in program.steps:
        np.add.at(received, step.destination, step.times * step.sizes)
    assert received == pytest.approx(sizes.sum() - sizes)


@pytest.mark.parametrize("ranks", RANKS[1:])
def test_volume_of_the_others(ranks: int) -> None:
    m, others = 60, ranks - 1
    assert ask("reduce_scatter", "ring", ranks).total_bytes() == pytest.approx(others * m)
    halving = ask("reduce_scatter", "recursive_halving", ranks)
    rest = ranks - (1 << ranks.bit_length() - 1)
    core = ranks - rest
    # Fold: m each. Butterfly: all ranks of the core send all but what they keep. The folded ones get their 1/w back.
    assert halving.total_bytes() == pytest.approx(rest * m + (core - 1) * m + rest * m / ranks)
    for name in ("binomial", "star", "pipelined_chain"):
        assert ask("broadcast", name, ranks).total_bytes() == pytest.approx(others * m)
    for name in ("direct", "pairwise"):
        assert ask("all_to_all", name, ranks).total_bytes() == pytest.approx(ranks * others * m)
    for name in ("direct", "binomial"):
        assert ask("reduce", name, ranks).total_bytes() == pytest.approx(others * m)
    for collective in ("gather", "scatter"):
        assert ask(collective, "direct", ranks).total_bytes() == pytest.approx(others * m)
    if core == ranks:  # half of all parts move at each level
        assert ask("gather", "binomial", ranks).total_bytes() == pytest.approx(m * ranks / 2 * (core.bit_length() - 1))


def test_sizes_grow_with_the_number_merged() -> None:
    # Six ranks of 6 bytes, merged(c) = 6 + c: in a ring, step s sends a sixth of what s payloads merge into.
    call = Call(np.full(6, 6.0), lambda count: 6.0 + count)
    ring = SCHEDULES["all_reduce"]["ring"](call)
    sizes = [size for step in ring.steps for size in [float(step.sizes[0]) * 6] * step.times]
    assert sizes == pytest.approx([6, 8, 9, 10, 11, 12, 12, 12, 12, 12])
    # Ranks 1 and 3 fold into 0 and 2; cores 0 2 4 5 have merged 2 2 1 1 payloads and swap at distance 1 (8 8 6 6
    # bytes), then hold 4 4 2 2 and swap at distance 2 (10 10 8 8); the sum is 12 bytes.
    doubling = SCHEDULES["all_reduce"]["recursive_doubling"](call)
    assert [step.sizes.tolist() for step in doubling.steps] == [[6, 6], [8, 8, 6, 6], [10, 10, 8, 8], [12, 12]]
    # Up the tree: 1 of 1 at distance 4 (ranks 4 and 5: 6 bytes), ranks 2 and 3 bring 1 each, rank 1 has merged 3.
    tree = SCHEDULES["reduce"]["binomial"](call)
    assert [step.sizes.tolist() for step in tree.steps] == [[6, 6], [6, 6], [9]]


def test_a_law_that_falls_is_refused() -> None:
    with pytest.raises(ValueError, match="merged: expected finite bytes that never fall, got 4.0 for 2, 3.0 for 3"):
        SCHEDULES["all_reduce"]["ring"](Call(np.full(4, 6.0), {2: 4.0, 3: 3.0, 4: 9.0}.__getitem__))


def test_growth_is_found_without_asking_for_every_number() -> None:
    asked = []

    def law(count: int) -> float:
        asked.append(count)
        return float(count.bit_length())

    runs = Call(np.ones(100_000), law).growth(2, 100_000)
    assert runs[0] == (2.0, 2) and runs[1] == (3.0, 4) and sum(times for _, times in runs) == 99_999
    assert len(runs) == 16 and len(asked) < 600


def test_arrays_that_the_caller_changes_afterwards_change_nothing() -> None:
    net = star(4, 8e6, 8e6, 0.0, all_to_all="pairwise")
    workers, sizes = np.array([0, 2, 3]), np.array([1e6, 2e6, 3e6])
    first = net.all_to_all(workers, 0.0, sizes).finish.copy()
    workers[:], sizes[:] = [3, 1, 0], 0.0
    assert net.wire_bytes == 12e6 and net.carried_bits[:4].tolist() == [16e6, 0, 32e6, 48e6]
    assert net.all_to_all([0, 2, 3], 0.0, [1e6, 2e6, 3e6]).finish.tolist() == first.tolist()
