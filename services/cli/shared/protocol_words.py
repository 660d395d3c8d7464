"""A stopping rule in the words in which a clinician and a statistician read it."""

from collections.abc import Iterator
from datetime import timedelta
from math import log

from services.safety_rules.adapters.protocol_sources import Sources
from services.safety_rules.inquiries.boundary_tables import Design
from services.vocabulary.protocol import Curve, Protocol, Rule, TermSet, Window, WindowEdge
from services.vocabulary.protocol_event import EventPattern

_ANCHORS = {
    "transplant": "transplant",
    "enrolment": "enrolment",
    "first_infusion": "first infusion",
    "each_course": "start of each course",
}
_POLICIES = {
    "onset_weighted": "each counts for the part of the onset curve that is behind them",
    "complete": "nobody counts before the end of the window, with or without event",
    "linear": "each counts for the part of the window that is behind them",
    "everyone_treated": "everybody counts in full from the first infusion",
}
_DEATH = 5


def rule_items(rule: Rule, design: Design, of: Sources) -> Iterator[tuple[str, str]]:
    """Yield what *rule* says, each with its name, in the order in which it is read."""
    when, then = rule.stop_when, rule.then
    if rule.watch_only:
        yield "Watched only", "on the charts and in the reports; it never alerts the DSMB"
    if rule.in_words:
        yield "In words", rule.in_words
    yield "Why", rule.why
    yield "Event", ", or ".join(map(pattern, rule.any_of))
    yield "Counts", _counts(rule)
    yield "Window", window(rule.window)
    yield "Competing", ", ".join(map(spoken, rule.competing)) or "nothing"
    yield "Pending", f"{_POLICIES[rule.policy]} ({rule.policy})"
    yield "Onset curve", f"{curve(rule.curve)}. Source: {of.curve}"
    yield "Acceptable rate", f"p0 {when.p0:g}. Basis: {of.p0}"
    yield "Design", _design(rule, design)
    yield "Looks", ", ".join(map(str, rule.looks)) or "after every participant"
    yield "Stops at", boundary(design)
    yield (
        "Worked examples",
        "; ".join(f"{one.events} of {one.of}: {one.answer}" for one in rule.worked_examples),
    )
    yield "Warns", f"when the chance to cross, at p0, reaches {rule.warn_at:.0%}"
    yield (
        "Then",
        (
            f"{spoken(then.recommend)}; tells {', '.join(map(spoken, then.tell))}; to be "
            f"acknowledged within {_hours(then.acknowledge_within)} h, otherwise it escalates"
        ),
    )
    yield "Assumed", ", ".join(rule.assumed) or "nothing: every number is the protocol's"


def shared_items(protocol: Protocol) -> Iterator[tuple[str, str]]:
    """Yield what the rules of *protocol* share: windows, sets of terms, laboratory values."""
    for name, of in protocol.windows.items():
        yield f"Window {name}", window(of)
    for name, terms in protocol.term_sets.items():
        yield f"Set {name}", term_set(terms)
    counting = protocol.laboratory
    slugs = ", ".join(map(_named, counting.only_confirmed_after_steroid))
    yield (
        "Laboratory",
        (
            f"a grade 3 that only the laboratory says counts after "
            f"{_hours(counting.grade3_after)} h or when confirmed, a grade 4 at once"
            + (
                f"; {slugs} within {_hours(counting.steroid_within)} h of a steroid only when "
                "confirmed"
                if slugs
                else ""
            )
        ),
    )


def term_set(of: TermSet) -> str:
    """Return which terms are in a set.

    >>> term_set(TermSet(without_socs=("Investigations",), without_terms=("cd4-lymphocytes",)))
    'all terms, without those of Investigations and without cd4 lymphocytes'
    """
    if of.only:
        return ", ".join(map(_named, of.only))
    without = [f"those of {', '.join(of.without_socs)}"] if of.without_socs else []
    without += [", ".join(map(_named, of.without_terms))] if of.without_terms else []
    return "all terms, " + " and ".join(f"without {words}" for words in without)


def _named(slug: str) -> str:
    return slug.replace("-", " ")


def _hours(span: timedelta) -> str:
    return f"{span.total_seconds() / 3600:g}"


def pattern(of: EventPattern) -> str:
    """Return what counts.

    >>> pattern(EventPattern(scale="astct-2019.crs", grade_at_least=3))
    'astct-2019.crs of grade 3 or worse'
    >>> pattern(EventPattern(fact="nrm"))
    'death without relapse'
    """
    if of.fact:
        return "death without relapse" if of.fact == "nrm" else of.fact
    what = of.scale or of.term or f"a term of the set {of.term_set}"
    worse = " or worse" if of.grade_at_least < _DEATH else ""
    return f"{what} of grade {of.grade_at_least}{worse}"


def window(of: Window) -> str:
    """Return from when to when, both inside.

    >>> window(Window(WindowEdge("first_infusion"), WindowEdge("transplant", 100)))
    'first infusion to transplant day 100'
    """
    return f"{_edge(of.start)} to {_edge(of.end)}"


def _edge(of: WindowEdge) -> str:
    if of.day is None:
        return _ANCHORS[of.anchor]
    if of.anchor == "transplant":
        return f"transplant day {of.day}"
    return f"day {of.day} from {_ANCHORS[of.anchor]}"


def curve(of: Curve) -> str:
    """Return an onset curve with the days by which parts of the events have come.

    >>> curve(Curve("exponential", mean_days=5))
    'exponential, mean 5 days: half of all events by day 3.5, 9 in 10 by day 11.5'

    >>> curve(Curve("table", points=((3, 0.4), (10, 1.0))))
    'table: 40 % by day 3, 100 % by day 10'
    """
    if of.shape == "uniform":
        return "uniform: as many events on each day of the window"
    if of.shape == "table":
        points = ", ".join(f"{part * 100:.0f} % by day {day:g}" for day, part in of.points)
        return f"table: {points}"
    if of.shape == "exponential":
        name, scale, shape = f"mean {of.mean_days:g} days", of.mean_days, 1.0
    else:
        scale, shape = of.scale_days, of.weibull_shape
        name = f"scale {scale:g} days, shape {shape:g}"
    half, most = (scale * log(1 / left) ** (1 / shape) for left in (0.5, 0.1))
    return f"{of.shape}, {name}: half of all events by day {half:.1f}, 9 in 10 by day {most:.1f}"


def boundary(of: Design) -> str:
    """Return the table as it is read aloud."""
    return ", ".join(
        f"{step.events} of {step.first}" + (f" to {step.last}" if step.last > step.first else "")
        for step in of.steps
    )


def spoken(word: str) -> str:
    """Return a word of the closed lists as it is said.

    >>> spoken("second_transplant")
    'second transplant'
    """
    return word.replace("_", " ")


def _counts(rule: Rule) -> str:
    status = "confirmed by a clinician" if rule.status == "confirmed" else "not rejected"
    dated = "reached that grade" if rule.event_date == "grade_reached" else "began"
    return (
        f"participants out of all who were {rule.out_of}, once each, with an event {status}; an "
        f"incomplete grade counts at its {rule.if_a_grade_is_incomplete}; the event is dated "
        f"when it {dated}"
    )


def _design(rule: Rule, design: Design) -> str:
    when = rule.stop_when
    numbers = "".join(
        f", {name} {', '.join(f'{value:g}' for value in values)}"
        for name, values in when.parameters.items()
    )
    return (
        f"{when.method}{numbers}, n {when.n}, one-sided alpha {when.alpha:g}; exact type I error "
        f"{design.attained_alpha:.5f}"
    )
