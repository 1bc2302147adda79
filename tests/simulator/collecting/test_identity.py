"""Which configurations count as one, and which repeat each other."""

from __future__ import annotations

from typing import Any

import pytest

from figures import groups
from simulator.identity import BOOKKEEPING, asked_hash, config_hash, group_hash
from tests.running import composed

CONFIG: dict[str, Any] = {
    "seed": 1,
    "workers": 4,
    "resume": False,
    "threads": None,
    "kernels": "auto",
    "eval_every": 20,
    "network": {"name": "lan", "up_bps": 1e9, "seed": 1, "workers": 4},
    "task": {"name": "mini", "widths": [3, 2], "made": {"seed": 1}},
}


def changed(**changes: Any) -> dict[str, Any]:
    return CONFIG | changes


def test_bookkeeping_is_what_figures_call_so() -> None:
    assert BOOKKEEPING == groups.BOOKKEEPING


@pytest.mark.parametrize(
    ("other", "one_config", "one_group"),
    [
        (changed(), True, True),
        (changed(resume=True, threads=3), True, True),
        (changed(workers=4.0), True, True),
        (changed(eval_every=10), False, True),
        (
            changed(seed=2, network=CONFIG["network"] | {"seed": 2}, task=CONFIG["task"] | {"made": {"seed": 2}}),
            False,
            True,
        ),
        (changed(workers=5), False, False),
        (changed(network=CONFIG["network"] | {"up_bps": 1e8}), False, False),
        (changed(network=CONFIG["network"] | {"seed": 7}), False, False),
        (changed(task=CONFIG["task"] | {"widths": [3, 3]}), False, False),
    ],
)
def test_what_is_one(other: dict[str, Any], one_config: bool, one_group: bool) -> None:
    assert (config_hash(other) == config_hash(CONFIG)) is one_config
    assert (group_hash(other) == group_hash(CONFIG)) is one_group


def test_the_order_of_keys_does_not_matter() -> None:
    assert config_hash(dict(reversed(CONFIG.items()))) == config_hash(CONFIG)


def test_a_composed_configuration_is_hashed_as_asked() -> None:
    same = asked_hash(composed("algorithm=topk", "seed=3"))
    assert same == asked_hash(composed("seed=3", "algorithm=topk", "resume=true", "progress=true"))
    assert same != asked_hash(composed("algorithm=topk", "seed=4"))
    assert len(same) == 8
