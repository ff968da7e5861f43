"""Trackers of a person's face in other programs, heard over UDP -> measures."""
