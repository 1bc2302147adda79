"""Bytes into seconds: topologies, transports, how flows share links, and the schedules of collectives."""

from network_models.class_star import class_star
from network_models.fabric import SERVER, Fabric
from network_models.fluid import FluidNetwork
from network_models.graph_network import graph
from network_models.links import Links
from network_models.network import Network
from network_models.star import star
from network_models.timing import Timing
from network_models.transfer import Transfer
from network_models.units import rate_bps, seconds

__all__ = [
    "SERVER",
    "Fabric",
    "FluidNetwork",
    "Links",
    "Network",
    "Timing",
    "Transfer",
    "class_star",
    "graph",
    "rate_bps",
    "seconds",
    "star",
]
