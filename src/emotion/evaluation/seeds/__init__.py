"""The runs of a sweep, evaluated."""
