"""``python -m simulator.answers NAME key=value ...``: ask finished runs a question.

NAME is one of targets, best, break_even, utilisation, cost, sensitivity; ``NAME help`` lists its keys. Settings of the
clock, such as ``network.latency_s='1 ms'`` or ``compute.device=phone``, apply to every network that is played.
"""

from __future__ import annotations

import importlib
import sys
from pathlib import Path

from simulator.answers.commands import NAMES
from simulator.answers.given import Given
from simulator.config import reporting


def main() -> None:
    """Answer the command line's question."""
    name, *arguments = sys.argv[1:] or [""]
    if name in ("-h", "--help", "help"):
        print(__doc__)
        return
    if name not in NAMES:
        raise ValueError(f"name: expected one of {', '.join(NAMES)}, got {name!r}")
    command = importlib.import_module(f"simulator.answers.commands.{name}")
    known = command.KEYS | {"out": "also write the table as CSV, to this file"}
    if {"-h", "--help", "help"} & set(arguments):
        print("\n".join([f"{command.__doc__}", *(f"  {key}: {told}" for key, told in known.items())]))
        return
    given = Given.read(arguments, known)
    made = command.answer(given)
    print(made.text(), end="")
    if "out" in given.options:
        made.save(Path(given.options["out"]))


if __name__ == "__main__":
    reporting(main)
