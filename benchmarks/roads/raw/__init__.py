"""Maps as their raw tags stand, read anew: what the import is judged by shares nothing with it."""
