"""What several tests need: tiny models, shards, drawings and stand-ins."""
