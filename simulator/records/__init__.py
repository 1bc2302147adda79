"""What a run leaves behind: counters of bits, metrics by mark, the timeline, checkpoints and the folder that holds them."""
