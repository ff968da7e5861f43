"""The command ``animate``."""
