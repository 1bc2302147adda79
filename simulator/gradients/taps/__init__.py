"""Gradients of any module whose parameters are used by functions that have a rule."""

from simulator.gradients.taps.taps import Taps
from simulator.gradients.taps.trial import why_not

__all__ = ["Taps", "why_not"]
