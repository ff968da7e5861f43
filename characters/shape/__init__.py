"""A design -> surfaces, materials and morphs of the whole character."""
