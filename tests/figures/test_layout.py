"""Every figure at every venue: as wide as it has to be, nothing clipped or covered, no text below six points."""

from __future__ import annotations

from pathlib import Path

import pytest
from matplotlib.figure import Figure

from figures.making import drawn
from figures.problems import FigureError
from figures.runs import Run, find_runs
from figures.venues import INCHES, SMALLEST, page
from figures.views import VIEWS
from tests.figures.conftest import writer
from tests.figures.layout import objections
from tests.figures.sweeps import cohorts, everywhere
from tests.figures.test_views import add_links, add_spans, add_time

KINDS = ("rates", "map", "cohorts", "language", "timed")
PLACES = [*((venue, "column") for venue in INCHES), ("ieee", "page")]  # the widest page and all columns


@pytest.fixture(scope="module")
def sweeps(tmp_path_factory: pytest.TempPathFactory) -> dict[str, list[Run]]:
    """Runs by what they are good for, written once."""
    return {name: find_runs([f"{written(tmp_path_factory.mktemp(name), name)}/*"])[0] for name in KINDS}


def written(folder: Path, kind: str) -> Path:
    write = writer(folder)
    if kind == "rates":
        everywhere(write, algorithms=6, seeds=2)
    elif kind == "map":
        everywhere(write, algorithms=6, seeds=2, delays=2)
    elif kind == "cohorts":
        cohorts(write, algorithms=6)
    elif kind == "language":
        for number, name in enumerate(("sgd", "topk")):
            more = {"perplexity": (30000.0, 200.0 + number, 90.0), "bleu": (0.0, 12.5, 31.0 - number)}
            write(name, algorithm=name, more=more, loss=(10.0, 0.1, 0.002))
    else:
        for number, name in enumerate(("sgd", "topk", "gradient_dropping_sync")):
            run = write(f"{number}", algorithm=name, summary={"staleness": {"0": 5, "3": 20, "15": 1}})
            add_time(run, compute=[40, 20], encode=[3, 3], uplink=[30, 30], uplink_queue=[10, 5], waiting=[27, 47])
            add_links(run, [1.0, 2.0, 3.0], {f"{n} up": (10.0, [n, 2 * n, 3 * n]) for n in range(1, 9)})
            add_spans(run, workers=4, rounds=3, overlap=number == 1)
    return folder


@pytest.mark.parametrize(
    ("name", "kind", "options"),
    [
        *(("accuracy", "rates", {"x": x}) for x in ("rounds", "samples", "uplink", "total", "paper", "time")),
        *((name, "language", {"x": "uplink"}) for name in ("loss", "perplexity", "bleu")),
        *((name, "rates", {}) for name in ("time_to_target", "speedup", "pareto")),
        ("regime_map", "map", {}),
        ("scaling", "cohorts", {}),
        *((name, "timed", {}) for name in ("breakdown", "gantt", "link_utilisation", "staleness")),
    ],
)
def test_figures(sweeps, name, kind, options) -> None:
    runs = sweeps[kind]
    every = VIEWS[name].draw_up(runs, options)
    few = VIEWS[name].draw_up(runs[:1], options) if VIEWS[name].each else every  # a slide has room for one
    for venue, width in PLACES:
        at = page({"venue": venue, "width": width})
        figure = drawn(name, few if at.height else every, at)
        assert figure.get_figwidth() == at.inches and at.height in (None, figure.get_figheight())
        assert objections(figure, SMALLEST) == [], (venue, width)


@pytest.mark.parametrize("network", ["lan_1g", "racks", "fat_tree", "torus"])
def test_topology(network) -> None:
    numbers = VIEWS["topology"].draw_up([], {"network": network})
    for venue, width in PLACES:
        figure = drawn("topology", numbers, page({"venue": venue, "width": width}))
        assert objections(figure, SMALLEST) == [], (venue, width)


def test_objections_are_raised() -> None:
    figure = Figure(figsize=(2, 2))
    figure.text(0.5, 0.5, "one")
    figure.text(0.5, 0.5, "two", size=5)
    figure.text(0.99, 0.5, "three")
    told = objections(figure)
    assert told == ["'two' is of 5.0 points", "'three' is clipped", "'one' covers 'two'"]


def test_what_a_slide_has_no_room_for_is_refused(sweeps) -> None:
    with pytest.raises(FigureError, match="for which talk has room, 5.625 inches, got one of"):
        VIEWS["gantt"].draw(VIEWS["gantt"].draw_up(sweeps["timed"], {}), page({"venue": "talk"}))
