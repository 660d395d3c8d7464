"""Pages of the console, one module each: from a visit to a response."""
