"""The processor on which tensors are computed."""

from __future__ import annotations

import platform
from pathlib import Path

import torch


def instructions(device: torch.device) -> str:
    """Name what decides how a product is rounded: the GPU, or the vector instructions of the CPU."""
    if device.type == "cpu":
        return str(torch.backends.cpu.get_cpu_capability())
    return f"{torch.cuda.get_device_name(device)} with CUDA {torch.version.cuda}"


def model(device: torch.device) -> str:
    """Name what decides how fast one is, as the maker does."""
    if device.type != "cpu":
        return instructions(device)
    told = Path("/proc/cpuinfo")
    lines = told.read_text(encoding="utf-8", errors="replace").splitlines() if told.exists() else []
    names = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return f"{names[0] if names else platform.processor() or platform.machine()}, {instructions(device)}"
