"""``python -m simulator key=value ...``: run one configuration, or many with ``-m``."""

from __future__ import annotations

import sys
from pathlib import Path

import hydra
from hydra.core.hydra_config import HydraConfig
from hydra.types import RunMode
from omegaconf import DictConfig

from simulator.config import register

register()


@hydra.main(version_base="1.3", config_path="pkg://conf", config_name="config")
def main(config: DictConfig) -> None:
    """Run the configuration in Hydra's run folder."""
    from simulator.launch import launch

    try:
        launch(config, Path(HydraConfig.get().runtime.output_dir))
    except (ValueError, RuntimeError, OSError) as error:
        print(f"error: {error}", file=sys.stderr)
        if HydraConfig.get().mode == RunMode.MULTIRUN:
            raise
        sys.exit(1)


if __name__ == "__main__":
    main()
