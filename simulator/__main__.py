"""``python -m simulator key=value ...``: run one configuration, or many with ``-m``."""

from __future__ import annotations

import sys
from pathlib import Path

import hydra

from simulator.config import reporting
from simulator.sweeping.job import failures, job
from simulator.sweeping.launchers import check_launcher

# The job has a module of its own, by whose name other processes find it.
main = hydra.main(version_base="1.3", config_path="pkg://conf", config_name="config")(job)


def check_folder(arguments: list[str]) -> None:
    """Refuse a run folder that cannot be one, before Hydra trips over it."""
    for argument in arguments:
        key, _, value = argument.partition("=")
        if key in ("hydra.run.dir", "hydra.sweep.dir"):
            path = Path(value)
            if not value or any(part.exists() and not part.is_dir() for part in (path, *path.parents)):
                raise ValueError(f"{key}: expected a folder, or where one can be made, got {value!r}")


def run() -> None:
    """Run the command line; exit with 1 if any run failed."""
    check_folder(sys.argv[1:])
    check_launcher(sys.argv[1:])
    failures.clear()
    main()
    if failures:
        sys.exit(1)


if __name__ == "__main__":
    reporting(run)
