"""The refusal of an act: nothing of it is stored."""


class ActRefusedError(Exception):
    """The act cannot be done; the message says what, where and what to do."""


class ChangedSinceSeenError(ActRefusedError):
    """The target of the act is not as the person saw it: nothing is signed."""
