"""What computation costs on the simulated clock."""

from simulator.compute.device import DEVICES, Device
from simulator.compute.measured import Measured
from simulator.compute.model import Compute, Counted, Fixed
from simulator.compute.stragglers import LogNormal, NoStragglers, Pareto, Periodic, ShiftedExponential

__all__ = [
    "DEVICES",
    "Compute",
    "Counted",
    "Device",
    "Fixed",
    "LogNormal",
    "Measured",
    "NoStragglers",
    "Pareto",
    "Periodic",
    "ShiftedExponential",
]
