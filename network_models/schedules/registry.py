"""Every schedule by its collective and name: what the settings of a network and the command line may say."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TypeAlias

from network_models.schedules import direct, doubling, halving_doubling, hierarchical, ring, tree
from network_models.schedules.call import Call
from network_models.schedules.step import Program

Schedule: TypeAlias = Callable[[Call], Program]

#: What `all_reduce` may be besides these: 'server' (gather there and broadcast from there) and 'auto'.
ALL_REDUCE: Mapping[str, Schedule] = {
    "ring": ring.all_reduce_ring,
    "halving_doubling": halving_doubling.all_reduce_halving_doubling,
    "rabenseifner": halving_doubling.all_reduce_halving_doubling,
    "recursive_doubling": doubling.all_reduce_recursive_doubling,
    "segmented_ring": ring.all_reduce_segmented_ring,
    "binomial_tree": tree.all_reduce_binomial_tree,
    "hierarchical": hierarchical.all_reduce_hierarchical,
    "torus_2d": hierarchical.all_reduce_torus_2d,
    "sharded_server": direct.all_reduce_sharded_server,
}

SCHEDULES: Mapping[str, Mapping[str, Schedule]] = {
    "all_reduce": ALL_REDUCE,
    "all_gather": {
        "ring": ring.all_gather_ring,
        "bruck": doubling.all_gather_bruck,
        "recursive_doubling": doubling.all_gather_recursive_doubling,
    },
    "reduce_scatter": {
        "ring": ring.reduce_scatter_ring,
        "recursive_halving": halving_doubling.reduce_scatter_halving,
    },
    "broadcast": {
        "star": tree.broadcast_star,
        "binomial": tree.broadcast_binomial,
        "pipelined_chain": tree.broadcast_pipelined_chain,
    },
    "all_to_all": {"direct": direct.all_to_all_direct, "pairwise": direct.all_to_all_pairwise},
    "reduce": {"binomial": tree.reduce_binomial, "direct": tree.reduce_direct},
    "gather": {"direct": direct.gather_direct, "binomial": direct.gather_binomial},
    "scatter": {"direct": direct.scatter_direct, "binomial": direct.scatter_binomial},
    "neighbours": {"direct": direct.neighbours_direct},
}
