"""Good and bad results as pictures."""
