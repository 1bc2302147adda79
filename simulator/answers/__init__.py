"""Answers that finished runs give: when a target is met, on which network who wins, what limits, what it costs.

Most need a run's time on another network. A synchronous trajectory does not depend on time, so its trace is played
there (`timing`); a racy run answers from what it recorded, and refuses the rest.
"""
