"""The gallery: everything the runs suffice for, the rest skipped with a reason."""

from __future__ import annotations

from figures.__main__ import main
from tests.figures.sweeps import cohorts, everywhere
from tests.figures.test_views import complete


def test_what_can_be_made_is_made_and_the_rest_is_told(write_run, tmp_path, capsys) -> None:
    everywhere(write_run, algorithms=2, seeds=2)
    write_run("torn", algorithm="topk", seed=9)
    (tmp_path / "torn/metrics.parquet").write_bytes(b"PAR1")
    asked = ["gallery", f"runs={tmp_path}/*", "target=0.5", "venue=acm", f"out={tmp_path}/out"]
    assert main(asked) == 0
    told = capsys.readouterr()
    assert "left out 1 half-written" in told.err and "torn" in told.err and told.err.count("\n") == 1
    made = {path.stem for path in (tmp_path / "out").iterdir()}
    assert {f"accuracy_vs_{x}" for x in ("rounds", "samples", "uplink", "total", "paper", "time")} <= made
    assert {"time_to_target", "speedup", "pareto", "table"} <= made
    skipped = [line for line in told.out.splitlines() if line.startswith("skipped ")]
    reasons = {line.split()[1].rstrip(":"): line for line in skipped}
    assert set(reasons) == {
        "perplexity", "bleu", "regime_map", "scaling", "breakdown", "gantt", "link_utilisation", "staleness",
        "topology", "algorithms_table",
    }  # fmt: skip
    assert "simulator.timeline" in reasons["gantt"] and "several numbers of workers" in reasons["scaling"]
    assert not made & set(reasons)
    speedup = (tmp_path / "out/speedup.png").read_bytes()
    assert f"python -m figures speedup 'runs={tmp_path}/*' target=0.5 venue=acm".encode() in speedup


def test_panels_for_runs_show_one_of_each_algorithm(write_run, tmp_path, capsys) -> None:
    for seed in (1, 2):
        for name in ("sgd", "topk"):
            complete(write_run, f"{name}{seed}", algorithm=name, seed=seed)
    assert main(["gallery", f"runs={tmp_path}/*", f"out={tmp_path}/out"]) == 0
    gantt = (tmp_path / "out/gantt.png").read_bytes()
    assert f"runs={tmp_path}/sgd1 runs={tmp_path}/topk1".encode() in gantt
    lines = (tmp_path / "out/gantt.csv").read_text().splitlines()
    assert {line.split(",")[0] for line in lines[1:]} == {"sgd", "topk"}


def test_nothing_to_show_and_unknown_options_are_errors(write_run, tmp_path, capsys) -> None:
    cohorts(write_run, algorithms=1, seeds=1)
    write_run("other", task="other")
    assert main(["gallery", f"runs={tmp_path}/*", "colour=red"]) == 1
    assert "colour: expected one of runs" in capsys.readouterr().err
    assert main(["gallery", f"runs={tmp_path}/nothing*"]) == 1
    assert "matches nothing" in capsys.readouterr().err
