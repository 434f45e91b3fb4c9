"""How good a classifier is, honestly."""
