"""A catalogue -> shards, verified."""
