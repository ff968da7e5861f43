"""Training: shards in, a bundle of three networks in eight configurations out."""
