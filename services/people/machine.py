"""The machine as one that acts: it acts as itself, and never as a person."""

from services.vocabulary.person import Actor

MACHINE = Actor("machine", "machine")  # a command, where there is nobody yet
