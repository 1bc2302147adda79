"""The clock on other networks: as `simulator.retime` tells it, and what is refused."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from omegaconf import OmegaConf

from simulator.answers.knobs import played_on
from simulator.answers.runs import Finished, find_runs
from simulator.answers.timing import seconds_at_marks, spent_at_marks
from simulator.records.folder import RunFolder
from simulator.retimed_folder import retime
from simulator.trace import NotReplayable
from tests.running import run
from tests.simulator.answers.conftest import COMPUTE, Made, round_seconds


@pytest.mark.parametrize("algorithm", ["topk", "signsgd_vote", "qsparse_async"])
def test_it_is_what_retiming_gives(tmp_path: Path, algorithm: str) -> None:
    given = ["workers=4", "rounds=6", "eval_every=2", "stragglers=pareto"]
    if algorithm == "qsparse_async":
        given.append("sync_set@algorithm.sync_set=random")  # which talks by messages and is not racy
    run(tmp_path / "run", f"algorithm={algorithm}", *given)
    source = Finished.read(tmp_path / "run")
    configs = [played_on(source, None), played_on(source, "lte"), played_on(source, "racks", ["compute.device=phone"])]
    clock = seconds_at_marks(source.folder, configs)
    assert clock.shape == (3, 3) and clock.dtype == np.float64
    assert clock[0].tolist() == pytest.approx(source.seconds.tolist(), rel=1e-12)
    for at, config in enumerate(configs):
        target = RunFolder(tmp_path / f"there{at}")
        retime(source.folder, config, target)
        table = target.read_table("timeline")
        assert clock[at].tolist() == pytest.approx(table["seconds"].to_pylist(), rel=1e-12)
        spent = spent_at_marks(source.folder, config)
        np.testing.assert_allclose(spent["compute"], table["compute_s"].to_pylist(), rtol=1e-12)
        assert spent["waiting"].shape == (3, 4)


def test_a_trace_that_changed_is_read_again(made: Made) -> None:
    source = made("run", [0.5, 0.6])
    config = played_on(source)
    assert seconds_at_marks(source.folder, [config])[0, -1] == pytest.approx(2 * round_seconds(2000))
    lines = source.folder.trace.read_text().replace('"size":1000', '"size":2000')
    source.folder.trace.write_text(lines)
    assert seconds_at_marks(source.folder, [config])[0, -1] == pytest.approx(2 * round_seconds(4000))


def test_racy_runs_are_refused_in_one_line(made: Made) -> None:
    racy = made("racy", [0.5], racy="ReceiveAny in server (ssp.py:3)")
    with pytest.raises(NotReplayable, match=r"racy: expected a run .* got a racy one \(ReceiveAny in server") as told:
        seconds_at_marks(racy.folder, [played_on(racy)])
    assert "\n" not in str(told.value) and racy.racy == "ReceiveAny in server (ssp.py:3)"
    assert racy.seconds.tolist() == pytest.approx([round_seconds(2000)])


@pytest.mark.parametrize("section", ["network", "compute"])
def test_another_number_of_workers_is_refused(made: Made, section: str) -> None:
    source = made("run", [0.5])
    config = played_on(source)
    config[section].workers = 3
    with pytest.raises(ValueError, match=f"{section}.workers: expected workers=2, got 3"):
        seconds_at_marks(source.folder, [config])


def test_what_was_spent(made: Made) -> None:
    source = made("run", [0.5, 0.6])
    spent = spent_at_marks(source.folder, played_on(source))
    assert spent["compute"] == pytest.approx(np.array([[COMPUTE] * 2, [2 * COMPUTE] * 2]))


def test_finding_runs(made: Made, tmp_path: Path) -> None:
    made("one", [0.5])
    half = made("two", [0.5])
    (half.path / "summary.json").unlink()
    (tmp_path / "note.txt").write_text("")
    found, left = find_runs([f"{tmp_path}/*"])
    assert [one.path.name for one in found] == ["one"] and len(left) == 1 and "half-written" in left[0]
    with pytest.raises(ValueError, match="runs='.*nowhere.*': expected folders of finished runs, got a pattern that"):
        find_runs([f"{tmp_path}/nowhere*"])
    with pytest.raises(ValueError, match="b='.*': expected folders of finished runs, got 1 other files"):
        find_runs([f"{tmp_path}/note.txt"], "b")
    with pytest.raises(ValueError, match="half-written"):
        find_runs([str(half.path)])


def test_configurations_are_resolved(made: Made) -> None:
    config = played_on(made("run", [0.5], "seed=7"), "wifi")
    assert config.network.seed == 7 and config.network.workers == 2 and OmegaConf.is_dict(config)
