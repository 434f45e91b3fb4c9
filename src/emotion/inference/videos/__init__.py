"""Videos and cameras: frames in, faces followed, a drawn copy out."""
