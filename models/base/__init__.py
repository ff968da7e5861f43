"""What networks are built from, how wide they are, and how they run."""
