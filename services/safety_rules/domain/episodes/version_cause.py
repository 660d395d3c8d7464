"""Why a record has a new version, when that is more than a result that came or was corrected."""

from collections.abc import Iterable
from dataclasses import replace

from services.safety_rules.domain.facts.anchors import Anchors
from services.vocabulary.episode import Episode
from services.vocabulary.fact import Assessment, Fact, Finding, Merge, Move, Observation

OTHER_RULES = "other rules"
BASELINE = "baseline"

# What windows, days and baselines are counted from, and what a change of it is called.
_ANCHORS = {
    "first_infusion_at": "first dose",
    "graft_at": "date of transplant",
    "second_graft_at": "second transplant",
    "timezone": "site",
    "died_at": "death",
    "death_cause": "cause of death",
}


def find_reason(facts: Iterable[Fact], before: Anchors | None, after: Anchors | None) -> str:
    """Return what *facts* of one message changed beside results; empty when nothing.

    Args:
        facts: Of the message.
        before: The participant's anchors before it; None when its facts were another's.
        after: The same, after it.
    """
    facts = list(facts)
    for fact in reversed(facts):
        match fact.body:
            case Merge(undone=undone):
                return "participants separated" if undone else "participants merged"
            case Move(visit=visit, undone=undone):
                what = "visit" if visit else "identifier"
                return f"{what} moved back" if undone else f"{what} moved"
            case Finding():
                return "seen by a clinician"
    if before is not None and after is not None:
        for name, words in _ANCHORS.items():
            if getattr(before, name) != getattr(after, name):
                return words
    first = None if after is None else after.first_infusion_at
    are_early = first is not None and all(fact.observed_at < first for fact in facts)
    only_results = bool(facts) and all(isinstance(fact.body, Observation) for fact in facts)
    return BASELINE if are_early and only_results else ""


def add_reason(version: Episode, reason: str, facts: Iterable[Fact] | None) -> Episode:
    """Return *version* with *reason* in its cause, where that says something about it.

    A result from before the first dose is its own record's result, and another's baseline. What is
    new is so because of the readings among *facts*, if there are any.
    """
    is_its_own = reason == BASELINE and version.content.before_exposure
    is_news = version.cause == "new" and any(
        isinstance(fact.body, Observation | Assessment) for fact in facts or ()
    )
    if not reason or is_its_own or is_news:
        return version
    return replace(version, cause=f"{version.cause} ({reason})")
