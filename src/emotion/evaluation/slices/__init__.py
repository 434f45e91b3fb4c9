"""Where it fails: by what faces are like, by what a user knows of them, under corruption."""
