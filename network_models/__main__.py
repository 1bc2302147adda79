"""The network alone, from the command line: JSON in, JSON out.

    python -m network_models flows scenario.json
    python -m network_models collective all_reduce bytes=25e6 workers=16 schedule=ring bandwidth_bps=1e9 latency_s=1e-4
    python -m network_models describe network=fat_tree workers=16

Whatever is wrong with the input is one line on standard error, and exit status 1.
"""

from __future__ import annotations

import sys
from importlib import import_module

COMMANDS = ("flows", "collective", "describe")


def run(arguments: list[str]) -> int:
    """Run one command; return the exit status."""
    if arguments[:1] in (["-h"], ["--help"]):
        print(__doc__)
        return 0
    try:
        if not arguments or arguments[0] not in COMMANDS:
            got = repr(arguments[0]) if arguments else "nothing"
            raise ValueError(f"command: expected one of {', '.join(COMMANDS)}, got {got}")
        import_module(f"network_models.commands.{arguments[0]}").main(arguments[1:])
    except (ValueError, TypeError, OSError) as error:
        print("error:", " ".join(str(error).split()), file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(run(sys.argv[1:]))
