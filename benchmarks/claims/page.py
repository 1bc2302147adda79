"""The page of all claims, ``docs/reproduction.md``, made of what was saved."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from benchmarks.claims.outcome import Outcome

PAGE = Path("docs/reproduction.md")
HEAD = """# Claims of the papers, run again

Made by `make reproduce CLAIM=<name>` (or `make reproduce`, for all of them); not edited by hand. Where a paper's full
text was not at hand its figure is marked as remembered. "Equal" means that the 95 % interval (Student's t) of the
difference, paired by seed, lies within ± 1.0 point.
"""


def page(outcomes: Sequence[Outcome]) -> str:
    """Lay out one section for each claim."""
    return "\n".join([HEAD, *(_section(outcome) for outcome in outcomes)])


def _section(outcome: Outcome) -> str:
    rows = "\n".join(f"| {row.what} | {row.theirs} | {row.ours} | {row.verdict} |" for row in outcome.rows)
    reasons = f"\n{outcome.reasons}\n" if outcome.reasons else ""
    figure = f"\n![{outcome.name}: {outcome.claim}](claims/{outcome.figure})\n" if outcome.figure else ""
    return f"""## {outcome.name}

{outcome.paper}. Claim: {outcome.claim}

Ours: {outcome.setup}

| | theirs | ours | |
|---|---|---|---|
{rows}
{figure}{reasons}
{outcome.seconds:.0f} s on {outcome.machine}: `make reproduce CLAIM={outcome.name}`.
"""
