"""The content that a person saw when they decided, by its hash: what an act is bound to."""

from services.acts.refusal import ChangedSinceSeenError
from services.runtime.canonical_json import digest_canonical


def hash_seen(content: object) -> str:
    """Return the sha256 of *content*, a value of the vocabulary, as it is stored."""
    return digest_canonical(content)


def require_unchanged(name: str, content: object, seen_hash: str) -> str:
    """Return the hash of *content*, which begins with *seen_hash*.

    Args:
        name: Of what it is, for the refusal.
        content: As it is stored now.
        seen_hash: Of what the person saw, or how it begins; empty: it was not shown before.

    Raises:
        ChangedSinceSeenError: It is another.
    """
    digest = hash_seen(content)
    if not digest.startswith(seen_hash):
        raise ChangedSinceSeenError(
            f"{name} has changed since it was shown: nothing is signed; look at it again"
        )
    return digest
