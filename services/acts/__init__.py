"""Acts of persons: each one function, its effect and its row in one transaction."""
