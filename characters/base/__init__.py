"""Curves, surfaces, bones, the texture's layout and the records of a model."""
