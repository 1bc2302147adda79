"""What a run leaves behind: bits counted, metrics and timeline by mark, checkpoints, the folder that holds them."""
