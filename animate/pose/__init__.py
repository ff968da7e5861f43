"""A drawing and trained networks -> the drawing in any pose."""
