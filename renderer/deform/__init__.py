"""A model and a pose -> its posed mesh: morphs, bones, IK, skinning."""
