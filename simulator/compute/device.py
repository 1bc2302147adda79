"""Named devices: what they sustain in training, which is less than their peak."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Device:
    """A processor as the clock sees it.

    Parameters
    ----------
    flops_per_s : float
        Sustained floating-point operations per second in a forward and backward pass.
    memory_bytes_per_s : float
        Sustained memory traffic; it prices encoding, decoding and averaging, which are bound by memory.
    """

    flops_per_s: float
    memory_bytes_per_s: float


# GPUs: 0.35 of the peak float32 rate and 0.7 of the peak memory bandwidth on the makers' data sheets (V100 SXM2: 15.7
# TFLOP/s, 900 GB/s; A100 40 GB: 19.5, 1,555; H100 SXM: 67, 3,350; T4: 8.1, 320). cpu_core: one AVX-512 server core,
# measured (sgemm 145 GFLOP/s at best, 50-60 in small layers; 10 GB/s). phone, raspberry_pi: order of magnitude only.
DEVICES = {
    "cpu_core": Device(50e9, 10e9),
    "t4": Device(2.8e12, 224e9),
    "v100": Device(5.5e12, 630e9),
    "a100": Device(6.8e12, 1090e9),
    "h100": Device(23e12, 2345e9),
    "phone": Device(10e9, 8e9),
    "raspberry_pi": Device(6e9, 2e9),
}
