"""Living with a data set: models dropped, sets merged, exported and described."""
