"""Shards -> batches in network form."""
