"""Voting on coordinates: ballots, elections, and what a paper counts for them."""
