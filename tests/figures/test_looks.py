"""One look per algorithm: whatever else is shown and in whatever order, and told apart without colour."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import conf
from figures.looks import COLOURS, HUES, PAIRS, PLACES, looks

REGISTRY = sorted(path.stem for path in (Path(conf.__file__).parent / "algorithm").glob("*.yaml"))


def test_a_look_does_not_depend_on_company_or_order() -> None:
    everyone = [(name, name) for name in REGISTRY]
    together, backwards = looks(everyone), looks(everyone[::-1])
    assert together == backwards
    for name in REGISTRY:
        if name in PLACES:
            assert looks([(name, name)])[name] == together[name]


def test_the_registry_is_told_apart_without_colour() -> None:
    numbers = Counter(look.number for look in looks((name, name) for name in REGISTRY).values())
    assert max(numbers.values()) == 1 and len(HUES) < PAIRS
    assert len({(look.dash if isinstance(look.dash, str) else str(look.dash), look.marker)
                for look in looks((name, name) for name in REGISTRY).values()}) == len(REGISTRY)  # fmt: skip


def test_the_commonest_have_hues_of_their_own() -> None:
    first = ["sgd", "topk", "qsgd", "signsgd_vote", "local_sgd", "randomk", "async_sgd"]
    assert {looks([(name, name)])[name].colour for name in first} == set(COLOURS)


def test_variants_share_the_hue_and_differ_otherwise() -> None:
    shown = [("topk", "topk, density=0.1"), ("topk", "topk, density=0.01"), ("sgd", "sgd"), ("true_topk", "true_topk")]
    found = looks(shown)
    assert len({look.number for look in found.values()}) == 4
    assert found["topk, density=0.01"].colour == found["topk, density=0.1"].colour == HUES["topk"]
    assert found["topk, density=0.01"].number == PLACES["topk"]  # the first by label has the algorithm's own
    assert found["true_topk"].number == PLACES["true_topk"]  # which no variant takes away


def test_a_name_from_elsewhere_has_a_look_of_its_own_too() -> None:
    alone, among = looks([("mine", "mine")]), looks([("mine", "mine"), ("sgd", "sgd")])
    assert alone["mine"].colour == among["mine"].colour in COLOURS
    many = looks((f"method_{n}", f"method {n}") for n in range(PAIRS - len(PLACES)))
    assert len({look.number for look in many.values()}) == len(many)
