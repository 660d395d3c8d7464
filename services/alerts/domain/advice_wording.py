"""A recommendation in words, for the people who have to act on it."""

from collections.abc import Iterator

from services.alerts.domain.decision_wording import format_day
from services.vocabulary.recommendation import Advice, AdviceKind

_TO_DO = {
    AdviceKind.DOSE: "To do: settle the dose with the investigator",
    AdviceKind.HYS_LAW: "To do: settle the cause with the investigator; it may have to be reported",
    AdviceKind.DEVIATION: "To do: ask the site, and record the protocol deviation",
}


def summarize_advice(advice: Advice) -> str:
    """Return the recommendation in one line, without its participant.

    >>> from datetime import UTC, datetime
    >>> at = datetime(2026, 3, 1, tzinfo=UTC)
    >>> summarize_advice(Advice("P-001", AdviceKind.DOSE, "crs", 1, "interrupt blinatumomab", at))
    'recommended: interrupt blinatumomab'
    """
    if advice.kind is AdviceKind.DOSE:
        return f"recommended: {advice.says}"
    return f"protocol deviation: {advice.says}" if _is_deviation(advice) else advice.says


def describe_advice(advice: Advice, standing: str) -> Iterator[str]:
    """Yield the recommendation, its grounds and next steps, and last the task of the reader.

    Args:
        advice: As the rules wrote it.
        standing: How far it can be relied upon, e.g. ``Suspected``.
    """
    summary = summarize_advice(advice)
    yield (
        f"{_capitalize(summary)}."
        if _is_deviation(advice)
        else f"{standing}. {_capitalize(summary)}."
    )
    yield (
        f"{advice.participant}: since transplant day {format_day(advice.transplant_day)},"
        f" treatment day {format_day(advice.treatment_day)}{_describe_end(advice)}."
    )
    for reason in advice.because:
        yield f"Because: {reason}."
    if advice.may_be:
        yield f"It may be: {advice.may_be}; missing: {', '.join(advice.missing)}."
    elif advice.missing:
        yield f"Missing: {', '.join(advice.missing)}."
    for next_step in advice.then:
        yield f"Then: {next_step}."
    yield f"{_TO_DO[advice.kind]} (`aegis dose --participant {advice.participant}`)."


def _is_deviation(advice: Advice) -> bool:
    return advice.kind is AdviceKind.DEVIATION


def _capitalize(words: str) -> str:
    return f"{words[0].upper()}{words[1:]}"


def _describe_end(advice: Advice) -> str:
    if advice.until is None or _is_deviation(advice):
        return ""
    return f", until treatment day {format_day(advice.over_on)}"
