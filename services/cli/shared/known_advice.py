"""Advice for participants, without the rules where the stored advice says it all.

To load the rules of a study is to recompute its boundaries, which takes longer than to read what
the last step of each participant left.
"""

from argparse import Namespace
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from services.cli.shared.knowledge_cut import find_knowledge_cut
from services.cli.shared.stored_data import StoredData, open_stored_data
from services.cli.shared.study_of_data import choose_study
from services.safety_rules.adapters.protocol_identity import ProtocolIdentity, read_identity
from services.store import participants, protocols
from services.store.participant_advice import load_current_advice
from services.store.participant_order import find_families
from services.store.session import Connection
from services.vocabulary.recommendation import Advice


@dataclass(frozen=True, slots=True)
class KnownAdvice:
    """Advice by participant, the instant of knowledge, and the protocol in words."""

    by_participant: Sequence[tuple[str, Sequence[Advice]]]
    cut_at: datetime
    protocol_label: str


def load_known_advice(args: Namespace) -> KnownAdvice:
    """Return the advice for everybody, or for the participant that *args* name.

    Raises:
        CommandError: There are no data, or nobody has that name.
        UntrustedFileError: A file of the study cannot be trusted.
    """
    data = open_stored_data(args)
    identity = read_identity(choose_study(data.settings).study)
    with data.db.read() as conn:
        cut_at = find_knowledge_cut(conn, args, data.settings, data.study_id)
        stored_advice = _find_stored(conn, data, identity, cut_at, args.participant)
    if stored_advice is not None:
        return KnownAdvice(stored_advice, cut_at, identity.label)
    return _fold(args, cut_at)


def _find_stored(
    conn: Connection,
    data: StoredData,
    identity: ProtocolIdentity,
    cut_at: datetime,
    participant: str | None,
) -> Sequence[tuple[str, Sequence[Advice]]] | None:
    """Return the stored advice for whoever is asked for; None when some of it is not current."""
    study = data.study_id
    if protocols.load_protocol(conn, identity.sha256) is None:
        return None
    people = participants.load_participants(conn, study).keys() - {study}
    subjects = people if participant is None else {participant}
    wanted = sorted(member for family in find_families(conn, subjects) for member in family)
    advice = load_current_advice(conn, study, identity.rules_version, cut_at)
    return [(one, advice[one]) for one in wanted] if advice.keys() >= set(wanted) else None


def _fold(args: Namespace, cut_at: datetime) -> KnownAdvice:
    # Seldom: something is not folded, or was known later than at the cut.
    from services.cli.shared.open_study import open_to_read  # noqa: PLC0415 (it takes a second)
    from services.safety_rules.reports.advice_now import list_advice  # noqa: PLC0415

    context = open_to_read(args)
    rules = context.study.rules
    with context.db.read() as conn:
        advice = list(list_advice(conn, rules, cut_at, args.participant))
    return KnownAdvice(advice, cut_at, rules.protocol.label)
