"""What a run depended on besides its configuration: versions, commit, device and its settings, calibration."""

from __future__ import annotations

import os
import platform
import subprocess
import sys
from datetime import UTC, datetime
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

import torch
from omegaconf import DictConfig

from simulator.compute import Compute

_PACKAGES = ("bitclock", "torch", "numpy", "simpy", "hydra-core", "pyarrow")


def _version(package: str) -> str | None:
    try:
        return version(package)
    except PackageNotFoundError:
        return None


def commit() -> str | None:
    """Give the commit of the checkout that the code lies in, with ``+changes`` when it is not clean."""
    root = Path(__file__).resolve().parent.parent

    def git(*arguments: str) -> str:
        command = ["git", "-C", str(root), *arguments]
        return subprocess.run(command, capture_output=True, text=True, timeout=10, check=True).stdout.strip()

    try:
        return git("rev-parse", "HEAD") + ("+changes" if git("status", "--porcelain") else "")
    except (OSError, subprocess.SubprocessError):
        return None


def manifest(config: DictConfig, device: torch.device, compute: Compute) -> dict[str, Any]:
    """Describe the circumstances of a run."""
    settings: dict[str, Any] = {"intra_op_threads": torch.get_num_threads()}
    if device.type == "cuda":
        properties = torch.cuda.get_device_properties(device)
        settings |= {
            "gpu": properties.name,
            "capability": f"{properties.major}.{properties.minor}",
            "cuda": torch.version.cuda,
            "tf32": torch.backends.cuda.matmul.allow_tf32,
            "deterministic": torch.are_deterministic_algorithms_enabled(),
        }
    return {
        "started": datetime.now(UTC).isoformat(timespec="seconds"),
        "command": sys.argv,
        "seeds": {"seed": config.seed},
        "versions": {name: _version(name) for name in _PACKAGES} | {"python": platform.python_version()},
        "commit": commit(),
        "device": str(device),
        "device_settings": settings,
        "processor": platform.processor() or platform.machine(),
        "chunk_threads": config.threads or os.cpu_count(),
        "compute": compute.describe(),
    }
