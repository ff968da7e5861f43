"""Trained networks on disk: our bundles, and THA1's three files."""
