"""The differences between one version of a record and the next."""

from collections.abc import Iterator
from dataclasses import dataclass

from services.vocabulary.episode import Change, EpisodeContent
from services.vocabulary.missing_inputs import describe_missing_inputs

# The fields of a record that a reader is told of, with their names, in this order.
_FIELDS = {
    "onset_at": "onset",
    "onset_not_before": "earliest onset",
    "resolved_at": "resolved",
    "resolved_not_before": "earliest resolution",
    "baseline_grade": "grade before exposure",
    "state": "state",
    "possible": "possible",
    "provisional": "provisional",
    "before_exposure": "before exposure",
    "outside_inducer_window": "outside inducer window",
    "serious": "serious",
    "attribution": "attributed to",
    "confounders": "could also be",
    "linked_to": "part of",
    "windows": "windows",
    "transplant_day": "transplant day",
    "treatment_day": "treatment day",
    "participant": "participant",
    "adjudications": "adjudications",
}


@dataclass(frozen=True, slots=True)
class VersionChange:
    """A change of *field* of a record; *because* is the reason of a grade.

    *old_value* and *new_value* are values of a record; None: there was none.
    """

    field: str
    old_value: object
    new_value: object
    because: str = ""


def list_version_changes(
    old_content: EpisodeContent | None, content: EpisodeContent
) -> list[VersionChange]:
    """Return the differences of *content* from *old_content*; None: it is the first version."""
    if old_content is None:
        return [VersionChange("worst grade", None, content.worst, _find_reason(None, content))]
    changes = [*_list_grade_changes(old_content, content)]
    for name, title in _FIELDS.items():
        old_value, new_value = getattr(old_content, name), getattr(content, name)
        if old_value != new_value:
            changes.append(VersionChange(title, old_value, new_value))
    old_scales, scales = old_content.other_scales or {}, content.other_scales or {}
    changes += [
        VersionChange(f"on {scale}", old_scales.get(scale), scales.get(scale))
        for scale in sorted(old_scales.keys() | scales.keys())
        if old_scales.get(scale) != scales.get(scale)
    ]
    return changes


def _list_grade_changes(
    old_content: EpisodeContent, content: EpisodeContent
) -> Iterator[VersionChange]:
    """Yield the differences of the grades, or of what they rest on when the grades are the same."""
    if old_content.worst != content.worst:
        reason = _find_reason(old_content, content)
        yield VersionChange("worst grade", old_content.worst, content.worst, reason)
    if old_content.current != content.current and not _repeats_worst(old_content, content):
        last_change = content.history[-1]
        reason = "" if content.resolved_at else _describe_reason(last_change, content.criterion)
        yield VersionChange("grade now", old_content.current, content.current, reason)
    old_history, history = old_content.history, content.history
    old_steps = [(change.at, change.span) for change in old_history]
    steps = [(change.at, change.span) for change in history]
    if old_steps != steps:
        if steps[: len(old_steps)] != old_steps:
            yield VersionChange("grades", _list_spans(old_content), _list_spans(content))
        return
    for old_change, change in zip(old_history, history, strict=True):
        if old_change.because != change.because:
            yield VersionChange("reason", old_change.because, change.because)
        if old_change.missing != change.missing:
            yield VersionChange("missing", old_change.missing, change.missing)
        if old_change.facts != change.facts:
            yield VersionChange("facts", old_change.facts, change.facts)


def _repeats_worst(old_content: EpisodeContent, content: EpisodeContent) -> bool:
    return content.current == content.worst and old_content.worst != content.worst


def _list_spans(content: EpisodeContent) -> tuple[str, ...]:
    return tuple(str(change.span) for change in content.history)


def _find_reason(old_content: EpisodeContent | None, content: EpisodeContent) -> str:
    """Return the reason of the first change that reached the end of the worst grade that moved.

    After a new decision of a person: of the first such change that the decision made, if any.
    """
    worst = content.worst
    is_upper = old_content is not None and old_content.worst.at_least == worst.at_least
    changes = [
        change
        for change in content.history
        if (is_upper and change.span.at_most == worst.at_most)
        or (not is_upper and change.span.at_least == worst.at_least)
    ]
    old_decisions = () if old_content is None else old_content.adjudications
    new_decisions = set(content.adjudications).difference(old_decisions)
    changes.sort(key=lambda change: new_decisions.isdisjoint(change.facts))
    return _describe_reason(changes[0], content.criterion) if changes else ""


def _describe_reason(change: Change, criterion: str) -> str:
    missing = describe_missing_inputs(change.missing, criterion)
    return f"{change.because} (missing: {missing})" if missing else change.because
