"""The changes that grading the same facts by other rules would bring, line by line."""

from collections import Counter
from collections.abc import Iterator

from services.cli.shared.columns import CHANGED_RECORDS, CHANGED_RULES
from services.cli.shared.tables import format_day, make_explained_table
from services.safety_rules.reports.regrade import Preview
from services.vocabulary.decision import Decision
from services.vocabulary.episode import EpisodeContent


def describe_changes(preview: Preview) -> Iterator[str]:
    """Yield the records that would change, and the answer of each rule, line by line."""
    if preview.records:
        rows = [
            (
                one.record.participant,
                one.record.term,
                _format_grade(one.current_record),
                _format_grade(one.proposed_record),
                one.difference,
                format_day(one.record.transplant_day),
                format_day(one.record.treatment_day),
            )
            for one in preview.records
        ]
        yield make_explained_table(CHANGED_RECORDS, rows)
    counts = Counter(str(one.difference) for one in preview.records)
    by_way = ", ".join(f"{number} {way}" for way, number in sorted(counts.items()))
    yield f"{len(preview.records)} records would change, {preview.unchanged_count} would not" + (
        f" ({by_way})" if by_way else ""
    )
    yield ""
    yield make_explained_table(
        CHANGED_RULES,
        [
            (
                a.rule,
                a.title,
                _format_events(a),
                _format_events(b),
                a.signal,
                _describe_answer(a, b),
            )
            for a, b in preview.decisions
        ],
    )


def summarize_changes(preview: Preview) -> dict[str, object]:
    """Return the records that would change, and the answer of each rule, for programs."""
    return {
        "records": [
            {
                "participant": one.record.participant,
                "criterion": one.record.criterion,
                "term": one.record.term,
                "onset_at": one.record.onset_at,
                "old": one.current_record and one.current_record.worst,
                "new": one.proposed_record and one.proposed_record.worst,
                "would_be": one.difference,
                "transplant_day": one.record.transplant_day,
                "treatment_day": one.record.treatment_day,
            }
            for one in preview.records
        ],
        "unchanged": preview.unchanged_count,
        "rules": [
            {
                "rule": now.rule,
                "title": now.title,
                "now": {"events": now.events, "evaluable": now.evaluable, "says": now.signal},
                "then": {"events": then.events, "evaluable": then.evaluable, "says": then.signal},
            }
            for now, then in preview.decisions
        ],
    }


def _format_grade(record: EpisodeContent | None) -> str:
    if record is None:
        return "-"
    return f"{record.worst}{' possible' if record.possible else ''}"


def _format_events(decision: Decision) -> str:
    return f"{decision.events} of {decision.evaluable}"


def _describe_answer(now: Decision, then: Decision) -> str:
    return "the same" if now.signal == then.signal else str(then.signal)
