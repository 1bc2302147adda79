"""Collectives as schedules: who sends what to whom, and which of them is cheapest."""
