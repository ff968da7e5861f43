"""What both local pages share: the guard of their doors."""
