"""From a folder of annotated photos to batches."""
