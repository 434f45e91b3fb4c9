"""Many trainings: planned, run as jobs of their own, recorded, and gone on with."""
