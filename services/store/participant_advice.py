"""The advice for each participant, as its last step left it."""

from collections.abc import Mapping
from datetime import datetime

from sqlalchemy import Connection, bindparam, exists, not_, or_, select, update

from services.runtime import wire
from services.runtime.canonical_json import write_canonical
from services.store import audit
from services.store.bulk import match_any
from services.store.rules_aliases import select_rules_version
from services.store.tables import participant, participant_advice, participant_state, timer
from services.store.timers import ADVICE
from services.vocabulary.recommendation import Advice, AdvicePeriod

_REPLACE = (
    update(participant_advice)
    .where(participant_advice.c.subject == bindparam("of"))
    .values(payload=bindparam("payload"), since=bindparam("since"))
)


def replace_advice(conn: Connection, advice: Mapping[str, AdvicePeriod]) -> None:
    """Replace what is recommended for each subject of *advice*; what is the same stays."""
    stored_rows: dict[str, Mapping[str, object]] = {}
    for is_wanted in match_any(conn, participant_advice.c.subject, advice):
        query = select(participant_advice).where(is_wanted)
        stored_rows |= {row["subject"]: dict(row) for row in conn.execute(query).mappings()}
    all_rows = [
        {"subject": subject, "payload": write_canonical(period.advice), "since": period.since}
        for subject, period in sorted(advice.items())
    ]
    rows = [row for row in all_rows if row != stored_rows.get(str(row["subject"]))]
    first_rows = [row for row in rows if row["subject"] not in stored_rows]
    changed_rows = [row for row in rows if row["subject"] in stored_rows]
    audit.insert_audited(conn, participant_advice, first_rows)
    if changed_rows:
        conn.execute(_REPLACE, [{**row, "of": row["subject"]} for row in changed_rows])
        audit.record_rows(conn, participant_advice, changed_rows, action=audit.CHANGE)


def load_current_advice(
    conn: Connection, study: str, rules_version: str, as_of: datetime, subject: str | None = None
) -> Mapping[str, tuple[Advice, ...]]:
    """Return, by subject, the advice that folding all that is known at *as_of* would give.

    Of whoever has facts that are not folded, or not known then, or that other rules folded, and of
    whose advice time has changed since, or changed after *as_of*, there is none. So it is of a
    quarantined participant. Whose facts belong to another's records has empty advice.

    Args:
        conn: Of one `Database.read`.
        study: Id of the study.
        rules_version: Of the running rules.
        as_of: Aware.
        subject: Of this participant alone; None: of everybody.
    """
    person, state = participant.c, participant_state.c
    is_due = exists().where(
        timer.c.owner == person.subject, timer.c.purpose == ADVICE, timer.c.due_at <= as_of
    )
    query = (
        select(participant_advice)
        .join(participant, person.subject == participant_advice.c.subject)
        .join(participant_state, state.subject == participant_advice.c.subject)
        .where(
            person.study == study,
            person.last_seq == state.folded_through,
            person.last_received_at <= as_of,
            participant_advice.c.since <= as_of,
            or_(person.told_until.is_(None), person.told_until <= as_of),
            select_rules_version(participant_state) == rules_version,
            state.digest != "",
            state.quarantined_seq.is_(None),
            not_(is_due),
        )
        .order_by(person.subject)
    )
    if subject is not None:
        query = query.where(person.subject == subject)
    return {row.subject: wire.read_advice_list(row.payload) for row in conn.execute(query)}
