"""Data queries on participants, without the rules where the stored ones say it all."""

from argparse import Namespace
from collections.abc import Sequence
from datetime import datetime

from services.cli.shared.stored_answer import load_stored_answer
from services.store.participant_queries import load_current_queries
from services.vocabulary.data_query import Query


def load_known_queries(args: Namespace) -> Sequence[Query]:
    """Return the queries on everybody, or on the participant that *args* name.

    Raises:
        CommandError: There are no data, or nobody has that name.
        UntrustedFileError: A file of the study cannot be trusted.
    """
    answer = load_stored_answer(args, load_current_queries)
    if answer.by_participant is not None:
        return [query for _, queries in answer.by_participant for query in queries]
    return _fold(args, answer.cut_at)


def _fold(args: Namespace, cut_at: datetime) -> Sequence[Query]:
    # Whoever has newer facts than the stored queries, or those not known at the cut, is folded.
    from services.cli.shared.open_study import open_to_read  # noqa: PLC0415 (it takes a second)
    from services.safety_rules.reports.advice_now import list_queries  # noqa: PLC0415

    context = open_to_read(args)
    with context.db.read() as conn:
        return list(list_queries(conn, context.study.rules, cut_at, args.participant))
