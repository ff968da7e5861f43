"""(model, rig, pose, view, light) -> picture. Knows nothing of shards or networks."""
