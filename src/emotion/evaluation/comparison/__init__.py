"""Two checkpoints on the same faces."""
