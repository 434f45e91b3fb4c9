"""Whether probabilities mean what they say, and when to say "unsure"."""
