"""Installation of Aegis on one machine and in containers, with its monitoring."""
