"""What a recommendation says to the people who have to act on it."""

from collections.abc import Iterator

from services.alerts.domain.decision_wording import day
from services.vocabulary.recommendation import Advice, AdviceKind

_TO_DO = {
    AdviceKind.DOSE: "To do: settle the dose with the investigator",
    AdviceKind.HYS_LAW: "To do: settle the cause with the investigator; it may have to be reported",
    AdviceKind.DEVIATION: "To do: ask the site, and record the protocol deviation",
}


def what(advice: Advice) -> str:
    """Return what it says in one line, without whom it is about.

    >>> from datetime import UTC, datetime
    >>> at = datetime(2026, 3, 1, tzinfo=UTC)
    >>> what(Advice("P-001", AdviceKind.DOSE, "crs", 1, "interrupt blinatumomab", at))
    'recommended: interrupt blinatumomab'
    """
    if advice.kind is AdviceKind.DOSE:
        return f"recommended: {advice.says}"
    return f"protocol deviation: {advice.says}" if _is_deviation(advice) else advice.says


def advice_lines(advice: Advice, standing: str) -> Iterator[str]:
    """Yield what is so, why, what comes then, and last what there is to do.

    Args:
        advice: As the rules wrote it.
        standing: How far it can be relied upon, e.g. ``Suspected``.
    """
    said = what(advice)
    yield f"{_begun(said)}." if _is_deviation(advice) else f"{standing}. {_begun(said)}."
    yield (
        f"{advice.participant}: since transplant day {day(advice.transplant_day)}, treatment day"
        f" {day(advice.treatment_day)}{_over(advice)}."
    )
    for reason in advice.because:
        yield f"Because: {reason}."
    if advice.may_be:
        yield f"It may be: {advice.may_be}; missing: {', '.join(advice.missing)}."
    elif advice.missing:
        yield f"Missing: {', '.join(advice.missing)}."
    for following in advice.then:
        yield f"Then: {following}."
    yield f"{_TO_DO[advice.kind]} (`aegis dose --participant {advice.participant}`)."


def _is_deviation(advice: Advice) -> bool:
    return advice.kind is AdviceKind.DEVIATION


def _begun(words: str) -> str:
    return f"{words[0].upper()}{words[1:]}"


def _over(advice: Advice) -> str:
    if advice.until is None or _is_deviation(advice):
        return ""
    return f", until treatment day {day(advice.over_on)}"
