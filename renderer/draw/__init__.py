"""Posed meshes -> pixels: all that talks to OpenGL."""
