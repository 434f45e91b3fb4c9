"""Hydra's configs and the run folders that come of them."""
