"""Archives -> folders of models."""
