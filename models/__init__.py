"""The three networks, their exchange with THA1's files, and the bundle. Torch only, no data."""
