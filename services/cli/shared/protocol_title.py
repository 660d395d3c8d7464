"""A protocol by its study, version and hash."""

from services.vocabulary.protocol import Protocol


def identify_protocol(protocol: Protocol) -> dict[str, object]:
    """Return the identity of *protocol* for programs."""
    return {
        "study": protocol.study,
        "version": protocol.version,
        "sha256": protocol.sha256,
        "signed_by": protocol.signed_by,
    }


def name_protocol(protocol: Protocol) -> str:
    """Return the study and the label of *protocol*."""
    return f"{protocol.study} {protocol.label}"
