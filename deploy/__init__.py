"""How Aegis is installed: on one machine, in containers, and with what watches it."""
