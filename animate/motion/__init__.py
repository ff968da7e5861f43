"""Poses over time: built-in motions, CSV and VMD."""
