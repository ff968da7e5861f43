"""What is trained, for how long and how; and what that will cost."""
