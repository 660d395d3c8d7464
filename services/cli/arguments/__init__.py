"""The arguments of each command: one module per command, named as the command.

They load in milliseconds, so that help, completion and wrong words are answered at once: nothing
here may import what only the work needs (databases, statistics, files of a study).
"""
