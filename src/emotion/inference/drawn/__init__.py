"""Answers as pictures: on photos and frames, as timelines, on a page that sums up a folder."""
