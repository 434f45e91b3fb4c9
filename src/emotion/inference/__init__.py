"""Photo in, emotions out. Nothing here knows how a classifier was trained, or imports torch."""
