"""The command ``dataset``."""
