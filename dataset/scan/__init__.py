"""A folder tree -> its catalogue."""
