"""What both local pages share: the guard of their doors, their shell, and how they are run."""
