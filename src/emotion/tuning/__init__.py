"""A search for good settings, each trial a training."""
