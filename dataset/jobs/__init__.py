"""Worker processes that are supervised: a death or a silence costs one model, not the run."""
