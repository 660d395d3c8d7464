"""The signatures about records: who decided what, when, in which meaning and by which proof."""

from collections.abc import Mapping, Sequence

from services.store import acts
from services.store.acts import ActFilter
from services.store.session import Connection
from services.vocabulary.act import Act, ActKind

VERDICT_KINDS = (ActKind.READ_RECORD, ActKind.ADJUDICATE, ActKind.SETTLE)
_WORDS = {
    ActKind.READ_RECORD: "first reading",
    ActKind.ADJUDICATE: "decision",
    ActKind.SETTLE: "decision of the chair",
}


def load_record_signatures(
    conn: Connection, record_ids: Sequence[str] = ()
) -> Mapping[str, list[Act]]:
    """Return the verdicts about these records (none named: all) by record, the oldest first."""
    signatures: dict[str, list[Act]] = {}
    for act in acts.load_acts(conn, ActFilter(targets=record_ids, kinds=VERDICT_KINDS)):
        signatures.setdefault(act.target, []).append(act)
    return signatures


def describe_signature(act: Act) -> str:
    """Return the printed name, the time, the meaning and the proof of a signature.

    Source: 21 CFR 11.50(a).
    """
    role = f", {act.role.replace('_', ' ')}" if act.role else ""
    proof = f", signed with the {act.actor.signed_by}" if act.is_signed else ", not signed"
    instant = f"{act.acted_at:%Y-%m-%d %H:%M:%S} UTC"
    words = f"{_WORDS[act.kind]} {act.new_value}"
    return f"{words}: {act.actor.name}{role}, {instant}, {act.meaning}{proof}"
