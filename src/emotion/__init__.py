"""Facial-emotion classification: from Pascal VOC XML to a classifier, and how far to trust it."""

__version__ = "0.1.0"
