"""Topologies as networkx graphs, one function each, and `Graph`, the fabric that settles the routes of any of them."""

from network_models.topologies.dumbbell import dumbbell
from network_models.topologies.expander import expander
from network_models.topologies.fat_tree import fat_tree
from network_models.topologies.from_file import from_file
from network_models.topologies.full_mesh import full_mesh
from network_models.topologies.graph import Graph
from network_models.topologies.racks import racks
from network_models.topologies.random_geometric import random_geometric
from network_models.topologies.ring import ring
from network_models.topologies.sharded_servers import sharded_servers
from network_models.topologies.torus import torus
from network_models.topologies.tree import tree
from network_models.topologies.wan import wan

__all__ = [
    "Graph",
    "dumbbell",
    "expander",
    "fat_tree",
    "from_file",
    "full_mesh",
    "racks",
    "random_geometric",
    "ring",
    "sharded_servers",
    "torus",
    "tree",
    "wan",
]
