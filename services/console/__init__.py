"""The console: pages on which persons see their work and act, rendered on the server."""
