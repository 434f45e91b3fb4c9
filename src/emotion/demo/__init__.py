"""`emotion demo`: a page on one's own machine where anybody can drop a photo.

Only `page` and `server` know Gradio; the rest can be used and tested without it.
"""
