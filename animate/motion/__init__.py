"""Poses over time: built-in motions, CSV, VMD and speech."""
