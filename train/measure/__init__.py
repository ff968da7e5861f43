"""How good networks are, in tables and pictures."""
