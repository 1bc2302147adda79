"""Where time and bytes went: each figure's numbers by hand, its files, and what it refuses."""

from __future__ import annotations

import csv
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.colors import to_rgba

from figures import breakdown, gantt, link_utilisation, staleness
from figures.__main__ import main
from figures.kinds import KINDS, time_unit
from figures.runs import read_run
from figures.venues import DEFAULT
from figures.views import VIEWS as EVERY

VIEWS = ("breakdown", "gantt", "link_utilisation", "staleness")
KINDS_OF_TIME = ("compute", "encode", "uplink", "downlink", "uplink_queue", "downlink_queue", "waiting")


def add_time(run: Path, **spent: list[float]) -> None:
    """Give a run of two workers and 20 rounds what each has spent by its last mark; a kind not named is zero."""
    columns: dict[str, Any] = {"round": [0, 10, 20], "seconds": [0.0, 50.0, 100.0]}
    for kind in KINDS_OF_TIME:
        columns[f"{kind}_s"] = [[0.0, 0.0], [0.0, 0.0], spent.get(kind, [0.0, 0.0])]
    pq.write_table(pa.table(columns), run / "timeline.parquet")


def add_links(run: Path, seconds: list[float], links: dict[str, tuple[float, list[float]]]) -> None:
    """Give a run its links: name -> capacity and cumulative bits by mark."""
    rows = [
        {"round": t, "seconds": time, "link": link, "capacity_bps": capacity, "carried_bits": bits[t]}
        for t, time in enumerate(seconds)
        for link, (capacity, bits) in links.items()
    ]
    pq.write_table(pa.Table.from_pylist(rows), run / "links.parquet")


def add_spans(run: Path, workers: int = 3, rounds: int = 5, overlap: bool = False) -> None:
    """Give a run spans: in each round of 2 s a worker computes for 1 s, and then waits."""
    rows = []
    for t in range(1, rounds + 1):
        begin = 2.0 * (t - 1)
        for worker in range(workers):
            about: dict[str, Any] = {"worker": worker, "stream": "compute", "op": "gradient", "round": t}
            rows.append(about | {"kind": "compute", "begin_s": begin, "end_s": begin + 1})
            rows.append(about | {"kind": "wait", "begin_s": begin + 1, "end_s": begin + 2})
            if overlap:
                rows.append(about | {"stream": "network", "kind": "uplink", "begin_s": begin, "end_s": begin + 1.5})
        mark = {"worker": -1, "stream": "compute", "op": "mark", "kind": "mark", "round": t}
        rows.append(mark | {"begin_s": begin + 2, "end_s": begin + 2})
    pq.write_table(pa.Table.from_pylist(rows), run / "spans.parquet")


def table_of(path: Path) -> list[dict[str, str]]:
    return list(csv.DictReader(path.read_text().splitlines()))


def complete(write_run: Any, name: str, **settings: Any) -> Path:
    """Write a run that every figure can show."""
    run: Path = write_run(name, summary={"staleness": {"0": 2, "1": 6}}, **settings)
    add_time(run, compute=[40, 20], uplink=[30, 30], uplink_queue=[10, 5], waiting=[30, 50])
    add_links(run, [0.0, 1.0, 2.0], {"0 up": (10.0, [0, 5, 15]), "server down": (20.0, [0, 5, 25])})
    add_spans(run)
    return run


@pytest.mark.parametrize("name", VIEWS)
def test_each_figure_is_three_files_and_the_same_again(write_run, tmp_path, capsys, name) -> None:
    complete(write_run, "a")
    complete(write_run, "b", network="wan")
    contents = []
    for _ in range(2):
        assert main([name, f"runs={tmp_path}/?", f"out={tmp_path}/out"]) == 0
        written = sorted((tmp_path / "out").iterdir())
        assert [path.name for path in written] == [f"{name}.csv", f"{name}.pdf", f"{name}.png"]
        contents.append([path.read_bytes() for path in written])
    assert contents[0] == contents[1]
    assert b"/Type3" not in contents[0][1] and contents[0][2][:4] == b"\x89PNG"
    assert capsys.readouterr().err == ""


@pytest.mark.parametrize("name", VIEWS)
def test_no_text_is_clipped_or_covered(write_run, name) -> None:
    runs = [read_run(complete(write_run, n, network=f"a_network_of_a_long_name_{n}")) for n in "ab"]
    figure = EVERY[name].draw(EVERY[name].draw_up(runs, {}), DEFAULT)
    canvas = FigureCanvasAgg(figure)
    canvas.draw()
    page, legends = figure.bbox, [legend.get_window_extent() for legend in figure.legends]
    boxes = [axes.get_tightbbox(canvas.get_renderer()) for axes in figure.axes]
    for box in (*boxes, *legends):
        assert box.x0 >= page.x0 - 1 and box.y0 >= page.y0 - 1 and box.y1 <= page.y1 + 1
    assert all(box.y0 >= legend.y1 - 1 for box in boxes for legend in legends)
    assert all(axes.get_window_extent().height > 20 for axes in figure.axes)


def test_breakdown_by_hand(write_run) -> None:
    # 20 rounds. Worker 0 waits less, so it is the slowest: 40 s of gradients are 2 s a round, and so on.
    bars = breakdown.draw_up([read_run(complete(write_run, "a"))], {}).bars
    assert [bar.worker for bar in bars] == ["mean", "slowest"]
    slowest = {"compute": 2.0, "encode": 0.0, "uplink": 1.0, "downlink": 0.0, "queue": 0.5, "wait": 1.5, "away": 0.0}
    mean = {"compute": 1.5, "encode": 0.0, "uplink": 1.125, "downlink": 0.0, "queue": 0.375, "wait": 2.0, "away": 0.0}
    assert bars[0].seconds == pytest.approx(mean) and bars[1].seconds == pytest.approx(slowest)
    assert bars[0].total == pytest.approx(5.0) and bars[1].total == pytest.approx(5.0)


def test_breakdown_shows_time_away_and_takes_nobody_for_slow_who_was_away(write_run, tmp_path) -> None:
    add_time(write_run("a"), compute=[60, 20], waiting=[40, 0])
    path = tmp_path / "a/timeline.parquet"
    away = pa.array([[0.0, 0.0], [0.0, 0.0], [0.0, 80.0]])
    pq.write_table(pq.read_table(path).append_column("away_s", away), path)
    mean, slowest = breakdown.draw_up([read_run(tmp_path / "a")], {}).bars
    assert (mean.seconds["away"], slowest.seconds["away"]) == (2.0, 0.0) and mean.total == slowest.total == 5.0


def test_breakdown_averages_seeds_and_shows_shares_where_bars_differ_much(write_run, tmp_path) -> None:
    add_time(write_run("a", seed=1), compute=[10, 10])
    add_time(write_run("b", seed=2), compute=[30, 30])
    add_time(write_run("c", network="far"), downlink=[2000, 2000])
    runs = [read_run(tmp_path / name) for name in "abc"]
    assert not breakdown.draw_up(runs[:2], {}).shares
    shown = breakdown.draw_up(runs, {})
    assert shown.shares and not breakdown.draw_up(runs, {"unit": "seconds"}).shares
    assert [(bar.label, bar.seeds, bar.total) for bar in shown.bars[::2]] == [
        ("sgd, lan", 2, pytest.approx(1.0)),
        ("sgd, far", 1, pytest.approx(100.0)),
    ]
    rows = list(csv.DictReader(shown.csv().splitlines()))
    assert rows[0] == {"group": "sgd, lan", "worker": "mean", "seeds": "2", "kind": "compute",
                            "seconds_per_round": "1.0", "share": "1.0"}  # fmt: skip


def test_utilisation_by_hand(write_run, tmp_path) -> None:
    complete(write_run, "a")
    assert main(["link_utilisation", f"runs={tmp_path}/a", f"out={tmp_path}"]) == 0
    # 5 and 10 bits in a second each over 10 bit/s; 5 and 20 over 20 bit/s. The first mark, at 0 s, is no interval.
    found = [(row["link"], float(row["begin_s"]), float(row["end_s"]), float(row["utilisation"]))
             for row in table_of(tmp_path / "link_utilisation.csv")]  # fmt: skip
    assert found == [("0 up", 0, 1, 0.5), ("0 up", 1, 2, 1.0), ("server down", 0, 1, 0.25), ("server down", 1, 2, 1.0)]


def test_few_links_are_lines_many_a_map_and_very_many_a_ranking(write_run) -> None:
    for links, marks, drawn in ((3, 3, "lines"), (50, 3, "map"), (50, 1, "ranking")):
        run = write_run(f"{links}_{marks}")
        bits = {f"{n} up": (1.0, [float(t * n) / links for t in range(1, marks + 1)]) for n in range(links)}
        add_links(run, [float(t) for t in range(1, marks + 1)], bits)
        figure = link_utilisation.draw(link_utilisation.draw_up([read_run(run)], {}))
        (axes, *others) = figure.axes
        assert (len(axes.patches), len(axes.collections), len(others)) == {
            "lines": (3, 0, 0), "map": (0, 1, 1), "ranking": (1, 0, 0)
        }[drawn]  # fmt: skip
    (panel,) = link_utilisation.draw_up([read_run(run)], {"top": "2"}).panels
    assert list(panel.links) == ["49 up", "48 up"]


def test_gantt_chooses_rounds_and_workers(write_run, tmp_path) -> None:
    run = write_run("a")
    add_spans(run, workers=20)
    (panel,) = gantt.draw_up([read_run(run)], {}).panels
    assert panel.rows == list(range(16)) and set(panel.columns["round"].tolist()) == {1, 2, 3}
    (panel,) = gantt.draw_up([read_run(run)], {"rounds": "4:9", "workers": "17,2"}).panels
    assert panel.rows == [2, 17] and set(panel.columns["round"].tolist()) == {4, 5}
    assert main(["gantt", f"runs={run}", "rounds=2", "workers=1", f"out={tmp_path}"]) == 0
    rows = table_of(tmp_path / "gantt.csv")
    assert [(row["kind"], row["begin_s"], row["end_s"]) for row in rows] == [
        ("compute", "2.0", "3.0"), ("wait", "3.0", "4.0"), ("mark", "4.0", "4.0")
    ]  # fmt: skip


def test_gantt_draws_what_overlaps_on_a_row_of_its_own(write_run) -> None:
    run = write_run("a")
    add_spans(run, workers=2, overlap=True)
    (axes,) = gantt.draw(gantt.draw_up([read_run(run)], {"rounds": "1"})).axes
    places: dict[tuple[float, ...], list[tuple[float, float]]] = {}
    for bars in axes.collections:
        heights = [(path.vertices[:, 1].min(), path.vertices[:, 1].max()) for path in bars.get_paths()]
        places.setdefault(tuple(bars.get_facecolor()[0]), []).extend(heights)
    own, other = (sorted(places[to_rgba(KINDS[kind].colour)]) for kind in ("compute", "uplink"))
    assert len(own) == 2 and [high for _, high in own] < [low for low, _ in other]  # y grows downwards
    assert other[0][1] < own[1][0]


def test_staleness_adds_seeds_and_leaves_synchronous_runs_out(write_run, tmp_path) -> None:
    write_run("a", algorithm="async", seed=1, summary={"staleness": {"0": 1, "2": 3}})
    write_run("b", algorithm="async", seed=2, summary={"staleness": {"1": 4}})
    write_run("c", algorithm="sgd")
    assert main(["staleness", f"runs={tmp_path}/?", f"out={tmp_path}/out"]) == 0
    rows = table_of(tmp_path / "out/staleness.csv")
    assert [(row["staleness"], row["gradients"], row["seeds"]) for row in rows] == [
        ("0", "1", "2"), ("1", "4", "2"), ("2", "3", "2")
    ]  # fmt: skip
    (panel,) = staleness.draw_up([read_run(tmp_path / "a")], {}).panels
    assert panel.mean == pytest.approx(1.5)  # (0 + 3 x 2) / 4


@pytest.mark.parametrize(
    ("arguments", "parts"),
    [
        (["gantt"], ["spans.parquet", "python -m simulator.timeline run="]),
        (["link_utilisation"], ["links.parquet", "simulator.retime"]),
        (["breakdown"], ["timeline.parquet", "compute_s", "simulator.retime"]),
        (["staleness"], ["staleness", "asynchronous", "sgd"]),
        (["gantt", "rounds=5:2"], ["rounds", "first:last", "5:2"]),
        (["gantt", "workers=a"], ["workers", "0,1,2", "got a"]),
        (["breakdown", "unit=hours"], ["unit", "auto, seconds, share", "hours"]),
        (["link_utilisation", "top=0"], ["top", "number of links", "got 0"]),
        (["link_utilisation", "rounds=1"], ["rounds", "expected one of runs"]),
    ],
)
def test_what_is_missing_or_wrong_is_told_with_the_way_out(write_run, tmp_path, capsys, arguments, parts) -> None:
    run = write_run("bare")
    name, *options = arguments
    assert main([name, f"runs={run}", *options, f"out={tmp_path}/out"]) == 1
    message = capsys.readouterr().err
    assert message.count("\n") == 1 and [part for part in parts if part not in message] == []
    assert not (tmp_path / "out").exists()


def test_spans_that_are_not_there_and_damaged_files_are_told(write_run, tmp_path, capsys) -> None:
    run = complete(write_run, "a")
    assert main(["gantt", f"runs={run}", "rounds=40:41"]) == 1
    assert "got rounds 1:5 and workers 0,1,2" in capsys.readouterr().err
    (run / "links.parquet").write_bytes(b"PAR1 torn")
    assert main(["link_utilisation", f"runs={run}"]) == 1
    assert "damaged" in capsys.readouterr().err
    for copy in range(7):
        complete(write_run, f"many/{copy}", seed=copy)
    assert main(["gantt", f"runs={tmp_path}/many/*"]) == 1
    assert "at most 6" in capsys.readouterr().err


def test_kinds_of_time_look_different_and_units_are_handy() -> None:
    assert len({(kind.colour, kind.hatch) for kind in KINDS.values()}) == len(KINDS)
    assert len({kind.colour for kind in KINDS.values()}) == len(KINDS)
    assert [time_unit(seconds)[1] for seconds in (30.0, 0.2, 2e-5, 2e-8)] == ["s", "ms", "µs", "ns"]
    np.testing.assert_allclose([time_unit(seconds)[0] for seconds in (1.0, 0.1)], [1, 1e3])
