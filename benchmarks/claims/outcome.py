"""What came of a claim: rows of ours beside theirs, and how equality is judged."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from statistics import fmean, stdev

from simulator.answers.student import mean_interval

DOCS = Path("docs/claims")


@dataclass(frozen=True)
class Row:
    """One line of the table: what, the paper's figure, ours, and how far apart they are or what that means."""

    what: str
    theirs: str
    ours: str
    verdict: str


@dataclass
class Outcome:
    """One claim: where it is made, what was run, what came of it, and why it differs where it does.

    `figure` is the name of a picture in ``docs/claims``, if there is one.
    """

    name: str
    paper: str
    claim: str
    setup: str
    rows: list[Row] = field(default_factory=list)
    reasons: str = ""
    seconds: float = 0.0
    machine: str = ""
    figure: str = ""

    def save(self) -> None:
        """Write ``docs/claims/NAME.json``."""
        DOCS.mkdir(parents=True, exist_ok=True)
        text = json.dumps(asdict(self), indent=1, ensure_ascii=False)
        (DOCS / f"{self.name}.json").write_text(text + "\n", encoding="utf-8")


def load() -> list[Outcome]:
    """Read every saved outcome, by name."""
    texts = [path.read_text(encoding="utf-8") for path in sorted(DOCS.glob("*.json"))]
    saved = [json.loads(text) for text in texts]
    return [Outcome(**(one | {"rows": [Row(**row) for row in one["rows"]]})) for one in saved]


def equal(differences: Sequence[float], within: float = 1.0) -> str:
    """Judge paired differences, in points: equal if the whole interval lies within the margin."""
    low, high = mean_interval(differences)
    told = f"{fmean(differences):+.2f} points, 95 % in [{low:+.2f}, {high:+.2f}]"
    if -within <= low and high <= within:
        return f"equal: {told}"
    if high < -within or low > within:
        return f"differs: {told}"
    return f"undecided with {len(differences)} seeds: {told}"


def spread(values: Sequence[float], form: str = ".2f") -> str:
    """Give the mean ± the sample standard deviation."""
    deviation = f" ± {stdev(values):{form}}" if len(values) > 1 else ""
    return f"{fmean(values):{form}}{deviation}"
