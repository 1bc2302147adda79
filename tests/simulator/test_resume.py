"""A run killed anywhere and resumed ends as if nothing had happened."""

from __future__ import annotations

import multiprocessing
import os
import random
import signal
import time
from pathlib import Path

import pytest

from simulator.records.folder import RunFolder, RunFolderError
from simulator.runner import Run
from tests.running import composed

FILES = ("metrics.parquet", "timeline.parquet", "links.parquet", "trace.jsonl")
LONG = ["workers=4", "rounds=120", "eval_every=10", "checkpoint_every=7", "stragglers=lognormal"]
# momentum on workers, residuals, sampled state, a step counter: everything that a checkpoint must hold
CASES = {
    "topk": ["algorithm=topk", "algorithm.momentum=0.9"],
    "fedavg": ["algorithm=fedavg", "algorithm.participation=0.5", "algorithm.server_momentum=0.5"],
    "post_local_sgd": ["algorithm=post_local_sgd", "algorithm.momentum=0.5"],
    "signsgd_vote": ["algorithm=signsgd_vote"],
    "stc": ["algorithm=stc", "algorithm.momentum=0.5"],
    "sbc": ["algorithm=sbc1", "algorithm.momentum=0.9"],
    "topk_in_parts": ["algorithm=topk", "parts=2", "chunk=2"],
    "narrow": ["algorithm=topk", "algorithm.momentum=0.9", "state_dtype=bf16"],
    "narrow_momentum_in_a_file": ["algorithm=sbc1", "algorithm.momentum=0.9", "state_dtype=bf16", "state_on=file"],
    "sampled_in_a_file": ["algorithm=stc", "algorithm.momentum=0.5", "state_on=file"],
    "local_sgd_in_parts": ["algorithm=local_sgd", "algorithm.momentum=0.9", "parts=2", "chunk=2"],
}


def _run(folder: Path, overrides: list[str]) -> None:
    Run(composed(*overrides), folder).execute()


def _killed_after(seconds: float, folder: Path, overrides: list[str]) -> bool:
    """Start the run in a process of its own and kill it; tell whether it was still at work."""
    child = multiprocessing.get_context("fork").Process(target=_run, args=(folder, overrides))
    child.start()
    time.sleep(seconds)
    alive = child.is_alive()
    if alive and child.pid is not None:
        os.kill(child.pid, signal.SIGKILL)
    child.join()
    return alive


def test_ten_kills_change_nothing(tmp_path: Path) -> None:
    overrides = [*CASES["topk"], *LONG, "task=fashion_mnist_mini", "model=softmax"]
    start = time.perf_counter()
    whole = Run(composed(*overrides), tmp_path / "whole").execute()
    lasts = time.perf_counter() - start
    draw, kills = random.Random(7), 0
    for attempt in range(10):
        folder = tmp_path / f"killed{attempt}"
        kills += _killed_after(draw.uniform(0.1, 0.9) * lasts, folder, overrides)
        resumed = Run(composed(*overrides, "resume=true"), folder).execute()
        assert resumed["digest"] == whole["digest"]
        for name in FILES:
            assert (folder / name).read_bytes() == (tmp_path / "whole" / name).read_bytes(), name
        assert not list(folder.glob(".*.part")) or kills
    assert kills >= 5


class _Stop(BaseException):
    """Ends a run between two rounds, as a kill would."""


@pytest.mark.parametrize("case", CASES)
@pytest.mark.parametrize("stop_at", [7, 33, 70])
def test_every_kind_of_state_survives(tmp_path: Path, case: str, stop_at: int, monkeypatch: pytest.MonkeyPatch) -> None:
    overrides = [*CASES[case], *LONG]
    whole = Run(composed(*overrides), tmp_path / "whole").execute()
    cut = Run(composed(*overrides), tmp_path / "cut")
    write = cut.folder.write_checkpoint

    def stop(state: dict[str, object]) -> None:
        write(state)
        if state["round"] == stop_at - stop_at % 7:
            raise _Stop

    monkeypatch.setattr(cut.folder, "write_checkpoint", stop)
    with pytest.raises(_Stop):
        cut.execute()
    assert not cut.folder.complete
    resumed = Run(composed(*overrides, "resume=true", "threads=2"), tmp_path / "cut").execute()
    assert resumed["digest"] == whole["digest"]
    for name in FILES:
        assert (tmp_path / "cut" / name).read_bytes() == (tmp_path / "whole" / name).read_bytes(), name


def test_resuming_with_a_changed_config_names_the_keys(tmp_path: Path) -> None:
    overrides = ["algorithm=topk", "workers=2", "rounds=4", "algorithm.density=0.25"]
    _run(tmp_path / "run", overrides)
    before = {path.name: path.read_bytes() for path in (tmp_path / "run").iterdir()}
    changed = Run(composed(*overrides, "algorithm.density=0.5", "seed=9", "resume=true"), tmp_path / "run")
    with pytest.raises(RunFolderError, match=r"algorithm.density was 0.25, now 0.5; .*seed was 1, now 9"):
        changed.execute()
    assert {path.name: path.read_bytes() for path in (tmp_path / "run").iterdir()} == before


def test_a_finished_run_is_neither_overwritten_nor_repeated(tmp_path: Path) -> None:
    overrides = ["algorithm=sgd", "workers=2", "rounds=3"]
    first = Run(composed(*overrides), tmp_path / "run").execute()
    with pytest.raises(RunFolderError, match="holds a run already; use resume=true"):
        Run(composed(*overrides), tmp_path / "run").execute()
    again = Run(composed(*overrides, "resume=true"), tmp_path / "run").execute()
    assert again == first


def test_a_racy_run_starts_over_and_says_so(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    overrides = ["algorithm=async_sgd", "workers=3", "rounds=5"]
    whole = Run(composed(*overrides), tmp_path / "whole").execute()
    cut = Run(composed(*overrides), tmp_path / "cut")
    cut.folder.path.mkdir()
    cut.folder.write_config(RunFolder(tmp_path / "whole").read_config())
    assert Run(composed(*overrides, "resume=true"), tmp_path / "cut").execute()["digest"] == whole["digest"]
    assert "starts over" in capsys.readouterr().err


@pytest.mark.parametrize(("name", "keep"), [("checkpoint.pt", 100), ("trace.jsonl", 10)])
def test_a_damaged_checkpoint_or_trace_is_reported(tmp_path: Path, name: str, keep: int) -> None:
    overrides = [*CASES["topk"], *LONG]
    _killed_after(0.0, tmp_path, overrides)
    cut = Run(composed(*overrides, "resume=true"), tmp_path)
    write = cut.folder.write_checkpoint

    def stop(state: dict[str, object]) -> None:
        write(state)
        raise _Stop

    cut.folder.write_checkpoint = stop  # type: ignore[method-assign]
    with pytest.raises(_Stop):
        cut.execute()
    damaged = tmp_path / name
    damaged.write_bytes(damaged.read_bytes()[:keep])
    with pytest.raises(RunFolderError, match=f"resume: expected .*{name}.* delete the folder"):
        Run(composed(*overrides, "resume=true"), tmp_path).execute()
