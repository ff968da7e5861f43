"""Training itself: the loop, what it keeps on disk, and the bundle it makes."""
