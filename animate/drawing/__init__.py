"""A person's drawing: read, checked, framed, given a background; pictures written."""
