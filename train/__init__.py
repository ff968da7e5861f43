"""Trains the networks on shards, stage by stage, and evaluates what comes out."""
