"""Verdicts about records: one of them, or several that are alike with one signature."""

import time
from collections.abc import Sequence
from dataclasses import dataclass

from starlette.responses import Response

from services.acts.adjudication import RecordVerdict, adjudicate
from services.acts.record_readings import load_readings
from services.acts.seen_content import hash_seen
from services.console.pages import records, worklist
from services.console.respond import redirect, render
from services.console.signing import (
    UnsignedError,
    find_actor,
    find_adjudicator,
    perform_act,
    read_seen_hash,
    sign_as,
)
from services.console.visit import NotFoundError, Visit
from services.store import participants, states
from services.vocabulary.act import ActKind
from services.vocabulary.episode import Episode
from services.vocabulary.judgement import Verdict
from services.vocabulary.number_text import parse_whole_number
from services.vocabulary.person import Actor

_GRADED_WITHIN_S, _PAUSE_S = 2.0, 0.05
_OK = 200


def judge(visit: Visit) -> Response:
    """Sign the verdict of the form about one record, and show what became of the record."""
    record = records.find_record(visit, visit.path["record"])
    try:
        verdict = _read_verdict(visit, record.id)
        actor = sign_as(visit, _find_judge(visit, record, verdict.verdict))
        perform_act(lambda: adjudicate(visit.context.data, actor, verdict))
    except UnsignedError as error:
        return records.show(visit, error.status, str(error))
    _wait_until_graded(visit, [record.content.participant])
    return redirect(f"/records/{record.id}?signed={verdict.verdict}")


def _find_judge(visit: Visit, record: Episode, verdict: Verdict) -> Actor:
    """Return the visitor as who may decide: the chair, where two readers of *record* differ."""
    context = visit.context.data
    with context.db.read() as conn:
        differ = load_readings(conn, record).differ
    if differ and context.study.rules.protocol.two_readers:
        return find_actor(visit, ActKind.SETTLE)
    return find_adjudicator(visit, verdict)


def show_confirmation(visit: Visit, status: int = 200, fault: str = "") -> Response:
    """Show the records that were ticked, to be confirmed together."""
    find_adjudicator(visit, Verdict.CONFIRM)
    ticked_records = [_find_ticked(visit, text) for text in visit.form.get("record", ())]
    if not ticked_records:
        return redirect("/worklist")
    if status == _OK:
        try:
            _require_alike(ticked_records)
        except UnsignedError as error:
            return worklist.show(visit, error.status, str(error))
    return render(
        visit,
        "confirm.html",
        status,
        records=[one.record for one in ticked_records],
        hash_seen=hash_seen,
        fault=fault,
        reason=visit.read_field("reason"),
    )


def confirm_all(visit: Visit) -> Response:
    """Sign the confirmation of every record of the form; all were as they were shown, or none."""
    ticked_records = [_find_ticked(visit, text) for text in visit.form.get("record", ())]
    try:
        _require_unchanged(ticked_records)
        _require_alike(ticked_records)
        actor = sign_as(visit, find_adjudicator(visit, Verdict.CONFIRM))
        for ticked_record in ticked_records:
            verdict = RecordVerdict(
                ticked_record.record.id,
                Verdict.CONFIRM,
                visit.read_field("reason"),
                seen_hash=ticked_record.seen_hash,
            )
            perform_act(lambda verdict=verdict: adjudicate(visit.context.data, actor, verdict))  # type: ignore[misc]
    except UnsignedError as error:
        return show_confirmation(visit, error.status, str(error))
    _wait_until_graded(visit, [one.record.content.participant for one in ticked_records])
    return redirect(f"/worklist?signed={len(ticked_records)}")


@dataclass(frozen=True, slots=True)
class _TickedRecord:
    """A record as it is now, and the hash of what was shown; empty: it is shown now."""

    record: Episode
    seen_hash: str


def _find_ticked(visit: Visit, text: str) -> _TickedRecord:
    record_id, _, seen_hash = text.partition(":")
    return _TickedRecord(records.find_record(visit, record_id), seen_hash)


def _require_unchanged(ticked_records: Sequence[_TickedRecord]) -> None:
    for ticked_record in ticked_records:
        seen_hash = ticked_record.seen_hash
        if hash_seen(ticked_record.record) != seen_hash:
            content = ticked_record.record.content
            raise UnsignedError(
                f"Nothing is signed: {content.term} of {content.participant} has changed since it"
                " was shown. Look at it again.",
                409,
            )


def _require_alike(ticked_records: Sequence[_TickedRecord]) -> None:
    """Refuse records of which one look does not serve for all: another term, or another grade."""
    contents = [ticked_record.record.content for ticked_record in ticked_records]
    kinds = dict.fromkeys(f"{one.term} of grade {one.worst}" for one in contents)
    if len(kinds) > 1:
        raise UnsignedError(
            f"Nothing is signed: {', '.join(kinds)} are not alike. Confirm together what has one"
            " term and one grade.",
            400,
        )


def _read_verdict(visit: Visit, record_id: str) -> RecordVerdict:
    """Return the verdict that the form has.

    A grade or a cause beside another verdict stays in it, for the act to refuse.

    Raises:
        NotFoundError: It has none that there is.
        UnsignedError: It was not shown which record it is about, or its grade is no number.
    """
    try:
        verdict = Verdict(visit.read_field("verdict"))
    except ValueError:
        raise NotFoundError from None
    seen_hash = read_seen_hash(visit)
    grade_text = visit.read_field("grade").strip()
    grade = parse_whole_number(grade_text)
    if grade_text and grade is None:
        raise UnsignedError("Nothing is signed: the grade is a number from 1 to 5.", 400)
    return RecordVerdict(
        record_id,
        verdict,
        visit.read_field("reason"),
        grade,
        visit.read_field("cause").strip(),
        seen_hash,
    )


def _wait_until_graded(visit: Visit, subjects: Sequence[str]) -> None:
    """Return once the rules have seen what was entered, or after two seconds."""
    deadline_s = time.monotonic() + _GRADED_WITHIN_S
    while time.monotonic() < deadline_s:
        with visit.context.db.read() as conn:
            last_rows = participants.load_participants(conn, subjects=subjects)
            last_states = states.load_states_of(conn, subjects)
        if all(last_states[one].folded_through >= last_rows[one].last_seq for one in subjects):
            return
        time.sleep(_PAUSE_S)
