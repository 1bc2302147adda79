"""``python -m simulator key=value ...``: run one configuration, or many with ``-m``."""

from __future__ import annotations

import sys
from pathlib import Path

import hydra
from hydra.core.hydra_config import HydraConfig
from omegaconf import DictConfig

from simulator.config import register, reporting

register()


_failed: list[str] = []


@hydra.main(version_base="1.3", config_path="pkg://conf", config_name="config")
def main(config: DictConfig) -> None:
    """Run the configuration in Hydra's run folder; one that fails says why and leaves the rest of a sweep alone."""
    from simulator.launch import launch

    try:
        launch(config, Path(HydraConfig.get().runtime.output_dir))
    except (ValueError, TypeError, RuntimeError, OSError) as error:
        _failed.append(str(error))
        print(f"error: {error}", file=sys.stderr)


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
    main()
    if _failed:
        sys.exit(1)


if __name__ == "__main__":
    reporting(run)
