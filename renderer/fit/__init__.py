"""A model -> its rig: head, eyes, mouth and head box, and how sure each is."""
