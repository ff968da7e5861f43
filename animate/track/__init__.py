"""A person's face in a video or before a camera -> poses."""
