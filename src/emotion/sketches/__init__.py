"""Faces drawn with five expressions: the sample data set's photos, so that no one's are needed."""
