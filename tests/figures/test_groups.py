"""Groups and their names: seeds together, everything else apart, and a legend that tells what differs and no more."""

from __future__ import annotations

import doctest

import figures.groups
from figures.groups import identity, labels, settings
from figures.runs import read_run


def test_the_doctest_holds() -> None:
    assert doctest.testmod(figures.groups).failed == 0


def test_runs_that_differ_in_seed_only_share_an_identity(write_run) -> None:
    first, second = (read_run(write_run(f"r{seed}", seed=seed)) for seed in (1, 2))
    assert identity(first) == identity(second)  # although task.seed, made from seed, differs too


def test_bookkeeping_does_not_split_a_group(write_run) -> None:
    first = read_run(write_run("a", config={"cache": "on", "resume": False}))
    second = read_run(write_run("b", seed=2, config={"cache": "off", "resume": True, "retimed_from": "a"}))
    assert identity(first) == identity(second)


def test_any_other_setting_splits(write_run) -> None:
    runs = [
        read_run(write_run("a")),
        read_run(write_run("b", config={"batch": 64})),
        read_run(write_run("c", config={"algorithm.momentum": 0.9})),
        read_run(write_run("d", network="wan")),
    ]
    assert len({identity(run) for run in runs}) == 4


def test_a_name_tells_what_differs_and_no_more(write_run) -> None:
    runs = [
        read_run(write_run("a", algorithm="topk", config={"algorithm.keep": 0.01})),
        read_run(write_run("b", algorithm="topk", config={"algorithm.keep": 0.1})),
        read_run(write_run("c", algorithm="sgd")),
    ]
    assert labels([settings(run) for run in runs], "algorithm") == ["topk, keep=0.01", "topk, keep=0.1", "sgd"]


def test_a_name_tells_workers_once(write_run) -> None:
    runs = [read_run(write_run(f"w{n}", workers=n)) for n in (4, 8)]  # network.workers repeats workers
    assert labels([settings(run) for run in runs], "algorithm") == ["sgd, workers=4", "sgd, workers=8"]


def test_networks_of_one_name_are_told_apart_by_their_settings(write_run) -> None:
    runs = [
        read_run(write_run("a", config={"network.up_bps": "10 Mbit/s"})),
        read_run(write_run("b", config={"network.up_bps": "20 Mbit/s"})),
    ]
    assert labels([settings(run) for run in runs], "network") == ["lan, up_bps=10 Mbit/s", "lan, up_bps=20 Mbit/s"]


def test_a_section_without_a_name_is_called_after_its_class(write_run) -> None:
    config = {"algorithm": {"_target_": "outside.methods.Fancy", "compressor": {"_target_": "outside.TopK"}}}
    other = {"algorithm": {"_target_": "outside.methods.Fancy", "compressor": {"_target_": "outside.RandomK"}}}
    runs = [read_run(write_run("a", config=config)), read_run(write_run("b", config=other))]
    names = labels([settings(run) for run in runs], "algorithm")
    assert names == ["Fancy, compressor=TopK", "Fancy, compressor=RandomK"]


def test_stragglers_and_faults_are_told_once_and_by_what_they_are(write_run) -> None:
    slow = {"stragglers": {"_target_": "simulator.compute.LogNormal", "sigma": 0.3}, "faults": {"name": "none"}}
    never = {"stragglers": {"_target_": "simulator.compute.NoStragglers"}, "faults": {"name": "crashes"}}
    runs = []
    for name, config in (("a", slow), ("b", never)):
        copied = config | {"compute": {"name": "fixed", "stragglers": config["stragglers"]}}
        runs.append(read_run(write_run(name, config=copied)))
    assert labels([settings(run) for run in runs], "algorithm") == [
        "sgd, faults=none, stragglers=LogNormal",
        "sgd, faults=crashes, stragglers=NoStragglers",
    ]
