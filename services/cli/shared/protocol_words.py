"""A stopping rule in the words in which a clinician and a statistician read it."""

from collections.abc import Iterator
from datetime import timedelta
from math import log

from services.cli.shared.design_notes import list_design_notes
from services.cli.shared.person_time_words import describe_person_time
from services.cli.shared.window_length import WindowLength
from services.safety_rules.adapters.protocol_sources import RuleSources
from services.safety_rules.reports.boundary_tables import Design, PersonTimeDesign, RuleDesign
from services.safety_rules.reports.chances import find_prior
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
    "person_time": "each counts for the follow-up until the event, a competing one or its end",
}
_DEATH = 5


def describe_rule(
    rule: Rule, design: RuleDesign, sources: RuleSources, window: WindowLength
) -> Iterator[tuple[str, str]]:
    """Yield name and words of each item of *rule*, in the order in which they are read."""
    action = rule.consequence
    if rule.watch_only:
        yield "Watched only", "on the charts and in the reports; it never alerts the DSMB"
    if rule.in_words:
        yield "In words", rule.in_words
    yield "Why", rule.why
    yield "Event", ", or ".join(map(describe_pattern, rule.any_of))
    yield "Counts", _describe_counting(rule)
    yield "Window", f"{describe_window(rule.window)}, {window}"
    yield "Competing", ", ".join(map(spell_out, rule.competing)) or "nothing"
    yield "Pending", f"{_POLICIES[rule.policy]} ({rule.policy})"
    yield from _describe_boundary_items(rule, design, sources)
    yield "Warns", f"when the chance to cross, at p0, reaches {rule.warn_at:.0%}"
    yield (
        "Then",
        (
            f"{spell_out(action.recommend)}; tells {', '.join(map(spell_out, action.tell))}; "
            f"to be acknowledged within {_format_hours(action.acknowledge_within)} h, "
            "otherwise it escalates"
        ),
    )
    yield "Assumed", ", ".join(rule.assumed_numbers) or "nothing: every number is the protocol's"


def _describe_boundary_items(
    rule: Rule, design: RuleDesign, sources: RuleSources
) -> Iterator[tuple[str, str]]:
    boundary = rule.stop_when.person_time
    if boundary is not None and isinstance(design, PersonTimeDesign):
        bases = {
            "Expected hazard": f". Source: {sources.curve}",
            "Acceptable rate": f". Basis: {sources.p0}",
        }
        for name, words in describe_person_time(rule, boundary, design):
            yield name, words + bases.get(name, "")
    elif isinstance(design, Design):
        yield "Onset curve", f"{describe_curve(rule.curve)}. Source: {sources.curve}"
        yield "Acceptable rate", f"p0 {rule.stop_when.p0:g}. Basis: {sources.p0}"
        yield "Design", _describe_design(rule, design)
        yield "Looks", ", ".join(map(str, rule.looks)) or "after every participant"
        yield "Stops at", describe_boundary(design)
        yield (
            "Worked examples",
            "; ".join(f"{one.events} of {one.of}: {one.answer}" for one in rule.worked_examples),
        )


def describe_shared_parts(protocol: Protocol) -> Iterator[tuple[str, str]]:
    """Yield the items that all rules of *protocol* share: windows, sets of terms, laboratory."""
    for name, days in protocol.windows.items():
        yield f"Window {name}", describe_window(days)
    for name, terms in protocol.term_sets.items():
        yield f"Set {name}", describe_term_set(terms)
    laboratory = protocol.laboratory
    slugs = ", ".join(map(_spell_out_term, laboratory.only_confirmed_after_steroid))
    yield (
        "Laboratory",
        (
            f"a grade 3 that only the laboratory says counts after "
            f"{_format_hours(laboratory.grade3_after)} h or when confirmed, a grade 4 at once"
            + (
                f"; {slugs} within {_format_hours(laboratory.steroid_within)} h of a steroid only "
                "when confirmed"
                if slugs
                else ""
            )
        ),
    )


def describe_term_set(terms: TermSet) -> str:
    """Return the terms of a set in words.

    >>> exclusions = {"without_socs": ("Investigations",), "without_terms": ("cd4-lymphocytes",)}
    >>> describe_term_set(TermSet(**exclusions))
    'all terms, without those of Investigations and without cd4 lymphocytes'
    """
    if terms.only:
        return ", ".join(map(_spell_out_term, terms.only))
    exclusions = [f"those of {', '.join(terms.without_socs)}"] if terms.without_socs else []
    exclusions += (
        [", ".join(map(_spell_out_term, terms.without_terms))] if terms.without_terms else []
    )
    return "all terms, " + " and ".join(f"without {words}" for words in exclusions)


def _spell_out_term(slug: str) -> str:
    return slug.replace("-", " ")


def _format_hours(span: timedelta) -> str:
    return f"{span.total_seconds() / 3600:g}"


def describe_pattern(event: EventPattern) -> str:
    """Return the event that counts in words.

    >>> describe_pattern(EventPattern(scale="astct-2019.crs", grade_at_least=3))
    'astct-2019.crs of grade 3 or worse'
    >>> describe_pattern(EventPattern(fact="nrm"))
    'death without relapse'
    >>> describe_pattern(EventPattern("astct-2019.icans", counts_outside_inducer_window=True))
    'astct-2019.icans of grade 1 or worse (outside the inducer window too)'
    """
    if event.fact:
        return "death without relapse" if event.fact == "nrm" else event.fact
    subject = event.scale or event.term or f"a term of the set {event.term_set}"
    worse = " or worse" if event.grade_at_least < _DEATH else ""
    window_words = (
        " (outside the inducer window too)" if event.counts_outside_inducer_window else ""
    )
    return f"{subject} of grade {event.grade_at_least}{worse}{window_words}"


def describe_window(days: Window) -> str:
    """Return the first and the last day of a window in words; both are inside.

    >>> describe_window(Window(WindowEdge("first_infusion"), WindowEdge("transplant", 100)))
    'first infusion to transplant day 100'
    """
    return f"{_describe_edge(days.start)} to {_describe_edge(days.end)}"


def _describe_edge(edge: WindowEdge) -> str:
    if edge.day is None:
        return _ANCHORS[edge.anchor]
    if edge.anchor == "transplant":
        return f"transplant day {edge.day}"
    return f"day {edge.day} from {_ANCHORS[edge.anchor]}"


def describe_curve(onsets: Curve) -> str:
    """Return an onset curve with the days by which parts of the events have come.

    >>> describe_curve(Curve("exponential", mean_days=5))
    'exponential, mean 5 days: half of all events by day 3.5, 9 in 10 by day 11.5'

    >>> describe_curve(Curve("table", points=((3, 0.4), (10, 1.0))))
    'table: 40 % by day 3, 100 % by day 10'
    """
    if onsets.shape == "uniform":
        return "uniform: as many events on each day of the window"
    if onsets.shape == "table":
        points = ", ".join(f"{part * 100:.0f} % by day {day:g}" for day, part in onsets.points)
        return f"table: {points}"
    if onsets.shape == "exponential":
        name, scale, shape = f"mean {onsets.mean_days:g} days", onsets.mean_days, 1.0
    else:
        scale, shape = onsets.scale_days, onsets.weibull_shape
        name = f"scale {scale:g} days, shape {shape:g}"
    half, ninety = (scale * log(1 / left) ** (1 / shape) for left in (0.5, 0.1))
    return (
        f"{onsets.shape}, {name}: half of all events by day {half:.1f}, 9 in 10 by day {ninety:.1f}"
    )


def describe_boundary(design: Design) -> str:
    """Return the table as it is read aloud."""
    return ", ".join(
        f"{step.events} of {step.first}" + (f" to {step.last}" if step.last > step.first else "")
        for step in design.steps
    )


def spell_out(word: str) -> str:
    """Return a word of the closed lists as it is said.

    >>> spell_out("second_transplant")
    'second transplant'
    """
    return word.replace("_", " ")


def _describe_counting(rule: Rule) -> str:
    status = "confirmed by a clinician" if rule.status == "confirmed" else "not rejected"
    date_words = "reached that grade" if rule.event_date == "grade_reached" else "began"
    return (
        f"participants out of all who were {rule.out_of}, once each, with an event {status}; an "
        f"incomplete grade counts at its {rule.if_a_grade_is_incomplete}; the event is dated "
        f"when it {date_words}"
    )


def _describe_design(rule: Rule, design: Design) -> str:
    when = rule.stop_when
    numbers = "".join(
        f", {name} {', '.join(f'{value:g}' for value in values)}"
        for name, values in when.parameters.items()
    )
    if "prior" not in when.parameters:
        a, b = find_prior(rule)
        numbers += f" (live chances with a prior Beta({a:g}, {b:g}))"
    return (
        f"{when.method}{numbers}, n {when.n}, one-sided alpha {when.alpha:g}; exact type I error "
        f"{design.attained_alpha:.5f}"
        + "".join(f"; {note}" for note in list_design_notes(design, when.parameters))
    )
