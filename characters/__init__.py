"""Generates our own characters as PMX or PMD models with textures."""
