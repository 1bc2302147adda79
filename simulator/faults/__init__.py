"""What goes wrong in a run: workers that are away for a time or for good, and messages that are lost."""

from simulator.faults.absences import Absence, Absences, Crashes, Listed
from simulator.faults.faults import Faults, crashes, elastic, lossy, none, scheduled
from simulator.faults.loss import MessageLoss

__all__ = [
    "Absence",
    "Absences",
    "Crashes",
    "Faults",
    "Listed",
    "MessageLoss",
    "crashes",
    "elastic",
    "lossy",
    "none",
    "scheduled",
]
