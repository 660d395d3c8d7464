"""Answers that the last steps of the rules stored, for commands that then load no rules.

To load the rules of a study is to recompute its boundaries, which takes longer than to read what
is stored of each participant.
"""

from argparse import Namespace
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Generic, TypeVar

from services.acts.protocol_signers import load_signers
from services.cli.shared.active_folder import find_active_folder
from services.cli.shared.knowledge_cut import find_knowledge_cut
from services.cli.shared.stored_data import open_stored_data
from services.safety_rules.adapters.protocol_identity import read_identity
from services.store import participants, protocols
from services.store.participant_order import find_families
from services.store.session import Connection
from services.vocabulary.protocol import write_label

T = TypeVar("T")

# Of (connection, study, version of the rules, instant): the stored values that are current then.
LoadCurrent = Callable[[Connection, str, str, datetime], Mapping[str, T]]


@dataclass(frozen=True, slots=True)
class StoredAnswer(Generic[T]):
    """Stored values by participant, the instant of knowledge, and the protocol in words.

    *by_participant* is None when some of it is not current: then somebody has to be folded.
    """

    by_participant: Sequence[tuple[str, T]] | None
    cut_at: datetime
    protocol_label: str


def load_stored_answer(args: Namespace, load_current: LoadCurrent[T]) -> StoredAnswer[T]:
    """Return the stored values of everybody, or of the participant that *args* name.

    Raises:
        CommandError: There are no data, or nobody has that name.
        UntrustedFileError: A file of the study cannot be trusted.
    """
    data = open_stored_data(args)
    identity = read_identity(find_active_folder(data.settings))
    with data.db.read() as conn:
        signers = load_signers(conn, identity.sha256)
        cut_at = find_knowledge_cut(conn, args, data.settings, data.study_id)
        values = load_current(conn, data.study_id, identity.rules_version, cut_at)
        members = _list_members(conn, data.study_id, args.participant)
        is_activated = protocols.load_protocol(conn, identity.sha256) is not None
    is_current = is_activated and values.keys() >= set(members)
    by_participant = [(one, values[one]) for one in members] if is_current else None
    label = write_label(identity.version, signers)
    return StoredAnswer(by_participant, cut_at, label)


def _list_members(conn: Connection, study: str, participant: str | None) -> list[str]:
    """Return everybody, or the family of *participant*, family by family."""
    people = participants.load_participants(conn, study).keys() - {study}
    subjects = people if participant is None else {participant}
    return [member for family in find_families(conn, subjects) for member in family]
