"""A checkpoint as one file that runs without this project's training code."""
