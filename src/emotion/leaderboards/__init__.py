"""Runs compared: read from their folders, ranked by the validation score of the kept epoch."""
