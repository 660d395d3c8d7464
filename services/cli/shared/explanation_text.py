"""The explanation of a record as a person reads it, line by line."""

from collections.abc import Iterator

from services.cli.shared.tables import format_day
from services.safety_rules.reports.explained_record import Explanation, Stretch
from services.safety_rules.reports.explanation_words import ExplanationWords
from services.safety_rules.reports.fact_text import describe_body
from services.vocabulary.episode import EpisodeContent

_INDENT = "  "


def write_explanation(explanation: Explanation) -> Iterator[str]:
    """Yield the lines of *explanation*, not yet folded."""
    writer = ExplanationWords(explanation)
    yield from _write_head(writer)
    yield from _write_wordings(explanation)
    yield ""
    yield "Grades"
    for stretch in explanation.stretches:
        yield from _write_stretch(writer, stretch)
    if explanation.adjudications:
        yield ""
        yield "Decisions of people, in the order of signing"
        yield from _write_adjudications(writer)
    yield ""
    yield "Versions"
    yield from _write_versions(writer)
    if not explanation.is_current:
        yield ""
        yield (
            "The rules that run now make another record of these facts: thresholds, baseline and"
            " what else was charted are by them (`aegis refold`)."
        )


def _write_head(writer: ExplanationWords) -> Iterator[str]:
    explanation = writer.explanation
    episode = explanation.versions[-1]
    content = episode.content
    yield f"{content.term}  ({content.criterion})"
    yield f"record {episode.id}, version {episode.version}, {episode.state}"
    latest_grade = "resolved" if content.resolved_at else f"now grade {content.current}"
    if episode.retracted:
        successor = f"; it goes on as record {episode.merged_into}" if episode.merged_into else ""
        yield f"retracted: its facts were corrected, moved or taken back{successor}"
    yield f"{content.participant}: worst grade {content.worst}, {latest_grade}"
    yield f"onset: {writer.format_moment(explanation.onset)}"
    if content.onset_not_before is not None:
        yield f"onset at the earliest: {writer.format_time(content.onset_not_before)}"
    resolution = explanation.resolution
    yield f"resolved: {writer.format_moment(resolution) if resolution else 'not yet'}"
    yield from writer.list_facts(explanation.ended_by, _INDENT)
    if content.resolved_not_before is not None:
        yield f"resolved at the earliest: {writer.format_time(content.resolved_not_before)}"
    yield f"times: {explanation.timezone}"
    yield from _write_baseline(writer, content)
    yield f"windows: {', '.join(content.windows) or 'none'}"
    for name, words in _list_notes(content):
        if words:
            yield f"{name}: {words}"
    for scale, span in sorted((content.other_scales or {}).items()):
        yield f"on {scale}: grade {span}"


def _write_baseline(writer: ExplanationWords, content: EpisodeContent) -> Iterator[str]:
    explanation = writer.explanation
    yield f"grade before exposure: {content.baseline_grade:d}; only what is above it counts"
    if explanation.baseline:
        side = f" ({explanation.baseline_side})" if explanation.baseline_side else ""
        moment = explanation.baseline_at
        day = f", transplant day {format_day(moment.transplant_day)}" if moment else ""
        yield f"before exposure{day}{side}:"
        yield from writer.summarize_facts(explanation.baseline, _INDENT)
    elif explanation.has_baseline:
        yield "before exposure: no value is known"


def _list_notes(content: EpisodeContent) -> tuple[tuple[str, str], ...]:
    inducer_note = "no cause of it acted when its signs were seen"
    return (
        ("provisional", "its evidence is not final" if content.provisional else ""),
        ("possible", "no reading is certain" if content.possible else ""),
        ("before exposure", "in no rule" if content.before_exposure else ""),
        ("outside inducer window", inducer_note if content.outside_inducer_window else ""),
        ("could also be", ", ".join(content.confounders)),
        ("serious", ", ".join(content.serious)),
        ("attributed to", content.attribution),
        ("part of", content.linked_to),
    )


def _write_wordings(explanation: Explanation) -> Iterator[str]:
    source = ""
    for wording in explanation.wordings:
        if wording.source != source:
            source = wording.source
            yield ""
            yield f"Published: {source}{' (in our words)' if wording.is_paraphrase else ''}"
        doubt = "" if wording.is_met else " (not certain)"
        yield f"{_INDENT}grade {wording.grade:d}{doubt}: {wording.says}"


def _write_stretch(writer: ExplanationWords, stretch: Stretch) -> Iterator[str]:
    change = stretch.change
    words = writer.describe_missing(change.missing)
    missing = f" (missing: {words})" if words else ""
    end = f" until {writer.format_time(stretch.ends.instant)}" if stretch.ends else ""
    yield f"{_INDENT}{writer.format_moment(stretch.begins)}"
    yield f"{_INDENT * 2}grade {change.span}{end}: {change.because}{missing}"
    if (graded_change := stretch.as_graded) is not None:
        yield f"{_INDENT * 2}by the facts alone grade {graded_change.span}: {graded_change.because}"
    yield from writer.list_facts(stretch.facts, _INDENT * 3)
    if stretch.other_readings:
        yield f"{_INDENT * 2}charted by then, too:"
        yield from writer.list_facts(stretch.other_readings, _INDENT * 3)
    if stretch.later_facts:
        yield f"{_INDENT * 2}later, at the same grade:"
        yield from writer.summarize_facts(stretch.later_facts, _INDENT * 3)
    yield from _write_open_thresholds(writer, stretch)


def _write_open_thresholds(writer: ExplanationWords, stretch: Stretch) -> Iterator[str]:
    """Yield the thresholds that may still be met; rows that are printed above, by grade alone."""
    printed_texts = {wording.says for wording in writer.explanation.wordings}
    grades_by_missing: dict[tuple[str, ...], list[str]] = {}
    for threshold in stretch.could_be:
        if threshold.text in printed_texts:
            grades_by_missing.setdefault(threshold.missing, []).append(f"{threshold.grade:d}")
            continue
        unknown = _describe_unknown(writer.describe_missing(threshold.missing))
        yield f"{_INDENT * 2}may still be grade {threshold.grade:d}: {threshold.text}{unknown}"
    for missing, grades in grades_by_missing.items():
        unknown = _describe_unknown(writer.describe_missing(missing))
        yield f"{_INDENT * 2}may still be grade {', '.join(grades)}, as above{unknown}"


def _describe_unknown(words: str) -> str:
    return f" (not known: {words})" if words else ""


def _write_adjudications(writer: ExplanationWords) -> Iterator[str]:
    for number, decision in enumerate(writer.explanation.adjudications, 1):
        fact = writer.explanation.facts[decision.fact]
        signed = writer.format_time(decision.signed_at)
        yield f"{_INDENT}{number}. {describe_body(fact.body)}, signed {signed}"
        for effect in decision.effects:
            later = " (set again by a later decision)" if effect.is_replaced else ""
            yield f"{_INDENT * 3}sets {effect.field}: {effect.value}{later}"


def _write_changed_decisions(
    writer: ExplanationWords, old_ids: object, new_ids: object
) -> Iterator[str]:
    """Yield each decision that was added or removed, as it was signed."""
    if not isinstance(old_ids, tuple) or not isinstance(new_ids, tuple):
        raise TypeError("decisions are ids in a tuple")
    for fact_id in new_ids:
        if fact_id not in old_ids:
            yield f"{_INDENT * 2}decision: {writer.describe_decision(fact_id)}"
    for fact_id in old_ids:
        if fact_id not in new_ids:
            yield f"{_INDENT * 2}decision that left it: {writer.describe_decision(fact_id)}"


def _write_versions(writer: ExplanationWords) -> Iterator[str]:
    for version in writer.explanation.changes:
        when = writer.format_time(version.recorded_at)
        cause, rules = version.cause, version.rules_version
        yield f"{_INDENT}version {version.version}, {when}: {cause}, rules {rules}"
        for change in version.changes:
            if change.field == "adjudications":
                yield from _write_changed_decisions(writer, change.old_value, change.new_value)
                continue
            because = f", because {change.because}" if change.because else ""
            if change.field == "facts":
                yield f"{_INDENT * 2}other facts of the same grade"
                continue
            new_text = writer.format_change(change.field, change.new_value)
            is_new = version.version == 1
            old_text = (
                "" if is_new else f"{writer.format_change(change.field, change.old_value)} -> "
            )
            yield f"{_INDENT * 2}{change.field}: {old_text}{new_text}{because}"
        if version.facts:
            yield f"{_INDENT * 2}by"
            yield from writer.list_facts(version.facts, _INDENT * 3)
