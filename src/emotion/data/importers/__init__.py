"""Data sets of others, in the layouts that their authors documented, as Pascal VOC folders.

One module a format: `photos(tree, …)` yields the photos of a source, `recognise(tree)` tells
whether a source looks like it. The rest is shared: reading a source safely, and writing.
"""
