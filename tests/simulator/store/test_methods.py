"""The calibration of gradient methods: what it is kept for, who finds it, and what it changes."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from omegaconf import DictConfig

from simulator import calibrate
from simulator.cached import obtain
from simulator.store import trajectory_key
from simulator.store.methods import chunk_of, described, file_of, keep, resolved
from tests.running import composed

SMALL = ["task=fashion_mnist_mini", "model=softmax", "workers=4", "batch=2", "chunk=2", "rounds=2", "eval_every=2"]


@pytest.fixture(autouse=True)
def store(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("BITCLOCK_STORE", str(tmp_path / "store"))
    return tmp_path / "store"


def small(*overrides: str) -> DictConfig:
    return composed(*SMALL, *overrides)


def calibrated(method: str, *overrides: str) -> Path:
    return keep(described(small(*overrides)), method, {method: 1.0})


def test_auto_takes_what_is_stored_for_it() -> None:
    assert resolved(small()) == ("auto", "rule")
    assert resolved(small("gradient_method=vmap")) == ("vmap", "asked")
    path = calibrated("taps")
    assert resolved(small()) == ("taps", f"calibration {path.name}")
    assert resolved(small("gradient_method=loop")) == ("loop", "asked")
    calibrated("loop")  # a later one replaces it
    assert resolved(small())[0] == "loop" and len(list(path.parent.iterdir())) == 1


@pytest.mark.parametrize(
    "overrides",
    [["model=mlp"], ["model.inputs=100"], ["batch=3"], ["chunk=3"], ["dtype=float64"], ["task=mnist"], ["workers=1"]],
    ids=" ".join,
)
def test_another_model_shape_or_type_finds_nothing(overrides: list[str]) -> None:
    calibrated("taps")
    assert resolved(small(*overrides)) == ("auto", "rule")


@pytest.mark.parametrize("overrides", [["seed=9"], ["workers=40"], ["algorithm=topk"], ["partition=dirichlet"]])
def test_what_no_time_depends_on_finds_it(overrides: list[str]) -> None:
    calibrated("taps")
    assert resolved(small(*overrides))[0] == "taps"


def test_the_structure_counts_not_the_name() -> None:
    same = described(small("model=mlp", "model.name=other", "model.widths=[784,10]"))
    assert same["model"][1:] == described(small())["model"][1:]
    assert same["model"][0][1] == "Mlp" and same["model"][2] == ("1", "Linear", [[10, 784], [10]])


def test_asynchronous_workers_are_taken_one_by_one() -> None:
    assert chunk_of(small()) == 2 and chunk_of(small("algorithm=async_sgd")) == 1


def test_a_task_without_a_model_has_no_method() -> None:
    calibrated("taps")
    assert resolved(composed()) == ("auto", "rule")


def test_a_trajectory_of_another_method_is_not_served(tmp_path: Path) -> None:
    def run(name: str, *overrides: str) -> tuple[str, dict[str, object], dict[str, object]]:
        made = obtain(small("cache=on", *overrides), tmp_path / name)
        return made.how, made.folder.read_json("manifest")["gradients"], made.folder.read_config()

    before = trajectory_key(small())
    how, about, config = run("by_rule")
    assert (how, config["gradient_method"]) == ("trained", "layers")
    assert about == {"asked": "auto", "method": "layers", "by": "rule", "notes": []}
    path = calibrated("taps")
    assert trajectory_key(small()) != before
    how, about, config = run("calibrated")
    assert (how, config["gradient_method"]) == ("trained", "taps")
    assert about == {"asked": "auto", "method": "taps", "by": f"calibration {path.name}", "notes": []}
    assert run("again")[0] == run("asked", "gradient_method=taps")[0] == "re-timed"
    path.unlink()


def test_a_damaged_file_is_named() -> None:
    path = calibrated("taps")
    keep(described(small()), "taps", {})
    path.write_text("{}")
    with pytest.raises(ValueError, match=rf"gradient_method: expected a calibration in .*{path.name}, got KeyError"):
        resolved(small())


@pytest.mark.parametrize(
    ("seconds", "method"),
    [
        ({"loop": 2.0, "layers": 1.0, "taps": 0.5}, "taps"),
        ({"loop": 2.0, "layers": 1.0, "taps": 0.97}, "layers"),
        ({"layers": 1.0}, "layers"),
    ],
)
def test_a_method_must_be_clearly_faster_than_the_rules(seconds: dict[str, float], method: str) -> None:
    assert calibrate.chosen(seconds, "layers") == method


def test_the_command_measures_every_method_and_keeps_the_fastest(capsys: pytest.CaptureFixture[str]) -> None:
    calibrate.main([*SMALL, "device=cpu", "repeats=1"])
    kept = json.loads(file_of(described(small())).read_text())
    assert set(kept["seconds"]) == {"loop", "vmap", "layers", "taps"} and all(s > 0 for s in kept["seconds"].values())
    assert kept["method"] == calibrate.chosen(kept["seconds"], "layers") == resolved(small())[0]
    assert f"gradient_method=auto takes {kept['method']} from now on" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["repeats=0"], "repeats: expected a whole number, at least 1, got '0'"),
        (["task=quadratic"], "task: expected one with a model, whose gradients have methods, got quadratic"),
        (["batch=0"], "batch: expected a whole number"),
    ],
)
def test_bad_input_is_named(arguments: list[str], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        calibrate.main([*SMALL, *arguments])
