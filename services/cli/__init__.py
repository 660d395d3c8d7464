"""The command `aegis`: one table of commands, and what a process is made of."""
