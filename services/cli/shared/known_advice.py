"""Advice for participants, without the rules where the stored advice says it all."""

from argparse import Namespace
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from services.cli.shared.stored_answer import load_stored_answer
from services.store.participant_advice import load_current_advice
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
    answer = load_stored_answer(args, load_current_advice)
    if answer.by_participant is not None:
        return KnownAdvice(answer.by_participant, answer.cut_at, answer.protocol_label)
    return _fold(args, answer.cut_at)


def _fold(args: Namespace, cut_at: datetime) -> KnownAdvice:
    # Seldom: something is not folded, or was known later than at the cut.
    from services.cli.shared.open_study import open_to_read  # noqa: PLC0415 (it takes a second)
    from services.safety_rules.reports.advice_now import list_advice  # noqa: PLC0415

    context = open_to_read(args)
    rules = context.study.rules
    with context.db.read() as conn:
        advice = list(list_advice(conn, rules, cut_at, args.participant))
    return KnownAdvice(advice, cut_at, rules.protocol.label)
