"""What is learnt, and which epoch is kept."""
