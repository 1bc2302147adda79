"""A job's configuration is composed once, and whoever gets it may change it."""

from __future__ import annotations

import pickle
from collections.abc import Sequence

from omegaconf import DictConfig, OmegaConf

from simulator.sweeping.remembering import Remembering


class Counting:
    """Counts what it composes."""

    def __init__(self) -> None:
        self.composed: list[list[str]] = []

    def load_sweep_config(self, master_config: DictConfig, sweep_overrides: Sequence[str]) -> DictConfig:
        self.composed.append(list(sweep_overrides))
        return OmegaConf.create({"overrides": list(sweep_overrides), "base": "${overrides}"})

    def get_sources(self) -> list[str]:
        return ["conf"]


def test_each_job_is_composed_once_and_copies_are_independent() -> None:
    counting, master = Counting(), OmegaConf.create({})
    loader = Remembering(counting)  # type: ignore[arg-type]
    first = loader.load_sweep_config(master, ["a=1"])
    first.overrides.append("spoilt")
    again = loader.load_sweep_config(master, ("a=1",))
    assert again.overrides == ["a=1"] == again.base and counting.composed == [["a=1"]]
    loader.load_sweep_config(master, ["a=2"])
    assert counting.composed == [["a=1"], ["a=2"]] and loader.get_sources() == ["conf"]


def test_another_process_gets_the_loader_without_what_it_remembers() -> None:
    loader = Remembering(Counting())  # type: ignore[arg-type]
    loader.load_sweep_config(OmegaConf.create({}), ["a=1"])
    copy = pickle.loads(pickle.dumps(loader))
    for _ in range(2):
        assert copy.load_sweep_config(OmegaConf.create({}), ["a=1"]).overrides == ["a=1"]
    assert copy._loader.composed == [["a=1"]] * 3
