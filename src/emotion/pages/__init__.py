"""Pages to read in a browser: one file each, without scripts, without anything from elsewhere."""
