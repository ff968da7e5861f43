"""A sound: read, heard as a voice, and put into a video."""
