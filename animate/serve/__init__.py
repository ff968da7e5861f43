"""The local page on which a drawing is posed live."""
