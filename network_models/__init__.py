"""Bytes into seconds: links, how flows share them, and the schedules of collectives."""

from network_models.fluid import FluidNetwork
from network_models.links import SERVER, Links
from network_models.star import Star
from network_models.timing import Timing
from network_models.transfer import Transfer
from network_models.units import rate_bps, seconds

__all__ = ["SERVER", "FluidNetwork", "Links", "Star", "Timing", "Transfer", "rate_bps", "seconds"]
