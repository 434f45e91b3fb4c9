"""Which epoch was kept, and why."""
