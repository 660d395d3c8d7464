"""The signers of a protocol, from the acts by which they signed it."""

from collections.abc import Sequence

from services.store import acts
from services.store.acts import ActFilter
from services.store.session import Connection
from services.vocabulary.act import Act, ActKind


def load_signers(conn: Connection, sha256: str) -> tuple[str, ...]:
    """Return ``name, role, date`` of each signature over the protocol file of this hash."""
    return tuple(map(describe_signature, load_signatures(conn, sha256)))


def describe_signature(act: Act) -> str:
    """Return name, role and day of a signature."""
    role = act.role.replace("_", " ") if act.role else "machine"
    return f"{act.actor.name}, {role}, {act.acted_at:%Y-%m-%d}"


def load_signatures(conn: Connection, sha256: str) -> Sequence[Act]:
    """Return the acts that signed the protocol file of this hash, the oldest first."""
    signatures = acts.load_acts(conn, ActFilter(kinds=[ActKind.SIGN_PROTOCOL]))
    return [act for act in signatures if act.seen_hash == sha256]
