"""A design -> its painted textures."""
