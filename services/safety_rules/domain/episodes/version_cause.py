"""The cause of a new version of a record, other than a result that came or was corrected."""

from collections.abc import Iterable
from dataclasses import replace

from services.safety_rules.domain.facts.anchors import Anchors
from services.vocabulary.clinical_fact import Observation
from services.vocabulary.episode import Episode
from services.vocabulary.fact import Fact
from services.vocabulary.identity_change import Merge, Move
from services.vocabulary.judgement import Assessment, Finding

OTHER_RULES = "other rules"
BASELINE = "baseline"

# The anchors of windows, days and baselines, and the name of a change of each.
_ANCHORS = {
    "first_infusion_at": "first dose",
    "graft_at": "date of transplant",
    "second_graft_at": "second transplant",
    "timezone": "site",
    "died_at": "death",
    "death_cause": "cause of death",
}


def find_reason(
    facts: Iterable[Fact], old_anchors: Anchors | None, new_anchors: Anchors | None
) -> str:
    """Return the change, other than of results, that *facts* of one message made; empty: none.

    Args:
        facts: Of the message.
        old_anchors: The participant's anchors before it; None when its facts were another's.
        new_anchors: The same, after it.
    """
    facts = list(facts)
    for fact in reversed(facts):
        match fact.body:
            case Merge(undone=is_undone):
                return "participants separated" if is_undone else "participants merged"
            case Move(visit=visit, undone=is_undone):
                moved_thing = "visit" if visit else "identifier"
                return f"{moved_thing} moved back" if is_undone else f"{moved_thing} moved"
            case Finding():
                return "seen by a clinician"
    if old_anchors is not None and new_anchors is not None:
        for name, label in _ANCHORS.items():
            if getattr(old_anchors, name) != getattr(new_anchors, name):
                return label
    first_infusion_at = None if new_anchors is None else new_anchors.first_infusion_at
    are_early = first_infusion_at is not None and all(
        fact.observed_at < first_infusion_at for fact in facts
    )
    only_results = bool(facts) and all(isinstance(fact.body, Observation) for fact in facts)
    return BASELINE if are_early and only_results else ""


def add_reason(version: Episode, reason: str, facts: Iterable[Fact] | None) -> Episode:
    """Return *version* with *reason* in its cause, where the reason applies to it.

    A result from before the first dose is the evidence of its own record and the baseline of
    others. A new record is caused by the readings among *facts*, if there are any.
    """
    is_its_own = reason == BASELINE and version.content.before_exposure
    is_news = version.cause == "new" and any(
        isinstance(fact.body, Observation | Assessment) for fact in facts or ()
    )
    if not reason or is_its_own or is_news:
        return version
    return replace(version, cause=f"{version.cause} ({reason})")
