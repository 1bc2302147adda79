"""A sweep that is called again: what is done is skipped, what failed is tried again, nothing is overwritten."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from filelock import FileLock

import simulator.launch
from tests.simulator.conftest import TOY, Command
from tests.simulator.sweeping.sweeps import names, results

Launch = Any


def test_folders_depend_on_the_configuration_alone(tmp_path: Path, command: Command) -> None:
    command("simulator", "-m", "algorithm=sgd,topk", "seed=1,2", *TOY, f"hydra.sweep.dir={tmp_path / 'one'}")
    command("simulator", "-m", *TOY, "seed=2,1", "algorithm=topk,sgd", f"hydra.sweep.dir={tmp_path / 'other'}")
    assert names(tmp_path / "one") == names(tmp_path / "other")
    readable = {name.rpartition("-")[0] for name in names(tmp_path / "one")}
    assert readable == {"sgd-lan_1g-s1", "sgd-lan_1g-s2", "topk-lan_1g-s1", "topk-lan_1g-s2"}
    assert results(tmp_path / "one").equals(results(tmp_path / "other"))


def test_a_longer_sweep_keeps_what_is_done(tmp_path: Path, command: Command) -> None:
    given = [*TOY, f"hydra.sweep.dir={tmp_path}"]
    command("simulator", "-m", "algorithm=sgd,topk", *given)
    before = {path: path.stat().st_mtime_ns for path in tmp_path.glob("*/*")}
    code, out, err = command("simulator", "-m", "algorithm=sgd,topk,qsgd", "progress=true", "threads=1", *given)
    assert code == 0 and "2 of 3 jobs are finished already, 1 to go" in err
    assert "qsgd-lan_1g-s1" in out and "topk-lan_1g-s1" not in out.split("launching")[0]
    assert {path: path.stat().st_mtime_ns for path in before} == before
    code, out, err = command("simulator", "-m", "algorithm=qsgd,sgd", *given)
    assert code == 0 and "2 of 2 jobs are finished already, 0 to go" in err and "digest" not in out


def test_two_spellings_of_one_configuration_are_one_job(tmp_path: Path, command: Command) -> None:
    code, out, _ = command("simulator", "-m", "algorithm.lr=0.1,1e-1,0.10", *TOY, f"hydra.sweep.dir={tmp_path}")
    assert code == 0 and len(names(tmp_path)) == 1 and out.count("digest") == 1


def test_a_failed_job_is_marked_and_tried_again(
    tmp_path: Path, command: Command, monkeypatch: pytest.MonkeyPatch
) -> None:
    launch, given = simulator.launch.launch, ["-m", "algorithm=sgd,topk", *TOY, f"hydra.sweep.dir={tmp_path}"]

    def failing(config: Any, *arguments: Any, **options: Any) -> None:
        if config.algorithm.name == "sgd":
            raise KeyError("a mistake in an extension")
        launch(config, *arguments, **options)

    monkeypatch.setattr(simulator.launch, "launch", failing)
    code, out, err = command("simulator", *given)
    assert code == 1 and "Traceback" not in err
    assert err.strip().splitlines()[-1].endswith("KeyError: 'a mistake in an extension'")
    assert "topk-lan_1g-s1" in out and "1 of 2 jobs finished, 1 not" in out
    [note] = tmp_path.glob("sgd-*/failed.json")
    failure = json.loads(note.read_text())
    assert failure["command"].startswith("python -m simulator algorithm=sgd ") and failure["when"].endswith("+00:00")
    assert "failing" in "".join(failure["traceback"])

    monkeypatch.setattr(simulator.launch, "launch", launch)
    code, out, err = command("simulator", *given)
    assert code == 0 and "1 of 2 jobs are finished already" in err
    assert not note.exists() and (note.parent / "summary.json").exists()


def test_a_failure_of_an_earlier_call_is_not_told_again(tmp_path: Path, command: Command) -> None:
    given = ["-m", *TOY, f"hydra.sweep.dir={tmp_path}"]
    command("simulator", *given, "algorithm.lr=-1")
    code, _, err = command("simulator", *given, "algorithm.lr=0.1")
    assert code == 0 and "error" not in err
    code, _, err = command("simulator", *given, "algorithm.lr=-1")
    assert code == 1 and err.count("algorithm.lr: expected a positive learning rate, got -1") == 1


def test_a_folder_of_another_configuration_is_refused(tmp_path: Path, command: Command) -> None:
    given = ["-m", *TOY, f"hydra.sweep.dir={tmp_path}", "hydra.sweep.subdir=mine"]
    assert command("simulator", *given, "algorithm.lr=0.1")[0] == 0
    before = (tmp_path / "mine" / "config.yaml").read_bytes()
    # Two configurations for one folder, and one that is there already: the sweep cannot tell a finished job from it.
    code, _, err = command("simulator", *given, "algorithm.lr=0.2")
    assert code == 1 and "expected the configuration of the run, got changes: algorithm.lr was 0.1, now 0.2" in err
    assert (tmp_path / "mine" / "config.yaml").read_bytes() == before
    code, _, err = command("simulator", *given, "algorithm.lr=0.3,0.4")
    assert code == 1 and "hydra.sweep.subdir" in err and "mine" in err


def test_a_folder_may_be_named_after_the_number_of_the_job(tmp_path: Path, command: Command) -> None:
    given = ["-m", "seed=1,2", *TOY, f"hydra.sweep.dir={tmp_path}", "hydra.sweep.subdir=${hydra.job.num}"]
    assert command("simulator", *given)[0] == 0
    assert names(tmp_path) == ["0", "1"]
    (tmp_path / "0" / "summary.json").unlink()
    code, out, err = command("simulator", *given)
    assert code == 0, err
    assert names(tmp_path) == ["0", "1"] and len(list(tmp_path.glob("*/summary.json"))) == 2


def test_a_folder_in_use_is_left_alone(tmp_path: Path, command: Command, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("simulator.sweeping.folder._PATIENCE_S", 0.1)
    given = ["-m", *TOY, f"hydra.sweep.dir={tmp_path}"]
    command("simulator", *given)
    [name] = names(tmp_path)
    (tmp_path / name / "summary.json").unlink()
    with FileLock(tmp_path / ".locks" / f"{name}.lock"):
        code, _, err = command("simulator", *given)
        assert code == 1 and f"expected {name} to be free, got one that another process is at work in" in err
        assert not (tmp_path / name / "failed.json").exists()
    assert command("simulator", *given)[0] == 0
