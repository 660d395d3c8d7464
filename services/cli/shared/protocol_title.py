"""A protocol by its study, version and hash."""

from services.safety_rules.adapters.protocol_files import Study
from services.vocabulary.protocol import Protocol


def identify_protocol(study: Study) -> dict[str, object]:
    """Return the identity of the protocol of *study*, and who signed it, for programs."""
    protocol = study.protocol
    return {
        "study": protocol.study,
        "version": protocol.version,
        "sha256": protocol.sha256,
        "signed_by": protocol.signed_by,
        "typed_signatures": study.typed_signatures,
    }


def name_protocol(protocol: Protocol) -> str:
    """Return the study and the label of *protocol*."""
    return f"{protocol.study} {protocol.label}"
