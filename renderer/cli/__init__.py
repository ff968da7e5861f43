"""The command ``renderer``."""
