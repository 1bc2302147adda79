"""The one error of this package: something about the arguments or the run folders that a person can put right."""

from __future__ import annotations

import sys


class FigureError(ValueError):
    """Bad input; the message names what was expected, what came and where to change it."""


def warn(message: str) -> None:
    """Say in one line on standard error what was left out or done otherwise."""
    print(f"figures: warning: {message}", file=sys.stderr)
