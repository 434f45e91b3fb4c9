"""Labels that are likely wrong, by cross-validation."""
