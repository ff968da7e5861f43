"""Files and messages made wrong on purpose, by the thousand, and what reading them must not do."""
