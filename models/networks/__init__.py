"""The three networks: face morpher, two-algorithm face rotator, combiner."""
