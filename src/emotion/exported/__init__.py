"""Exported files that torch opens: .pt2 and .safetensors."""
