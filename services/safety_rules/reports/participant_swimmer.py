"""The swimmer of one participant, gathered from the facts that stand and from the records."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from services.charts.swimmer import Bar, Lane, Swimmer, Window
from services.safety_rules.domain.ctcae.rule_book import Rules
from services.safety_rules.domain.facts.anchors import Anchors, find_window_periods
from services.safety_rules.domain.facts.current_facts import select_current_facts
from services.safety_rules.domain.facts.infusion import format_rate, trace_infusion
from services.safety_rules.domain.facts.ownership import Ownership
from services.safety_rules.reports.folded_participant import FoldedParticipant
from services.vocabulary.clinical_fact import Action, Administration, Movement
from services.vocabulary.episode import EpisodeContent
from services.vocabulary.fact import Fact

_DAY = timedelta(days=1)
_INPATIENT = ("admission", "ward")
_SINGLE = 0.25  # day: a dose, drawn so that it is seen


@dataclass(frozen=True, slots=True)
class DayAxis:
    """Instants as days, with their fractions, from the transplant; or from the first dose."""

    zero: datetime
    name: str

    def count(self, instant: datetime) -> float:
        """Return the day of *instant*: 0.5 is noon of day 0 at the site."""
        return (instant - self.zero) / _DAY


def find_day_axis(anchors: Anchors, facts: Sequence[Fact]) -> DayAxis | None:
    """Return the axis of one participant; None: there is nothing to count from."""
    if anchors.graft_at is not None:
        return DayAxis(anchors.find_start_of_day(anchors.graft_at, 0), "transplant day")
    start = anchors.first_infusion_at or anchors.enrolled_at
    if start is None:
        start = min((fact.observed_at for fact in facts), default=None)
    if start is None:
        return None
    name = "days since first dose" if anchors.first_infusion_at else "days since enrolment"
    return DayAxis(anchors.find_start_of_day(start, 0), name)


def list_own_facts(folded_participant: FoldedParticipant, participant: str) -> list[Fact]:
    """Return the facts that stand and belong to *participant*, in time order."""
    facts = [entry.fact for entry in folded_participant.entries]
    ownership = Ownership(tuple(sorted({fact.subject for fact in facts} | {participant})))
    ownership.add_facts(facts)
    own_facts = (fact for fact in facts if ownership.find_owner(fact) == participant)
    return sorted(select_current_facts(own_facts), key=lambda fact: fact.observed_at)


def gather_swimmer(
    folded_participant: FoldedParticipant,
    rules: Rules,
    participant: str,
    contents: Sequence[EpisodeContent],
) -> Swimmer | None:
    """Return the swimmer of *participant* with the records *contents*; None before any fact."""
    facts = list_own_facts(folded_participant, participant)
    anchors = folded_participant.fold.anchors
    axis = find_day_axis(anchors, facts)
    if axis is None or not facts:
        return None
    last = max(axis.count(facts[-1].observed_at), *_list_ends(axis, contents), 1.0)
    start = anchors.first_infusion_at or facts[0].observed_at
    first = min([axis.count(start) - 3, *(axis.count(one.onset_at) for one in contents)])
    drug = rules.protocol.study_drug
    lanes = [
        _make_infusion_lane(axis, facts, drug, last),
        *_list_record_lanes(axis, contents, last),
        *_list_drug_lanes(axis, facts, drug, last),
        *_list_care_lanes(axis, facts, last),
    ]
    return Swimmer(
        participant,
        axis.name,
        first,
        last + 0.5,
        lanes,
        tuple(_list_windows(axis, anchors, rules)),
        axis.count(anchors.died_at) if anchors.died_at else None,
    )


def _list_ends(axis: DayAxis, contents: Sequence[EpisodeContent]) -> list[float]:
    return [axis.count(one.resolved_at or one.onset_at) for one in contents] or [0.0]


def _make_infusion_lane(axis: DayAxis, facts: Sequence[Fact], drug: str, last: float) -> Lane:
    bars = [
        Bar(
            axis.count(period.start),
            axis.count(period.end) if period.end else last,
            "drug",
            f"{drug} {format_rate(period.rate)}",
            format_rate(period.rate),
        )
        for period in trace_infusion(facts, drug).periods
    ]
    return Lane(drug, bars)


def _list_record_lanes(
    axis: DayAxis, contents: Sequence[EpisodeContent], last: float
) -> Iterator[Lane]:
    """Yield a lane for each term: syndromes first, then by the worst grade and the first onset."""
    by_term: dict[str, list[EpisodeContent]] = {}
    for content in sorted(contents, key=lambda one: one.onset_at):
        by_term.setdefault(content.term, []).append(content)
    in_order = sorted(
        by_term.items(),
        key=lambda pair: (
            pair[1][0].criterion.startswith("ctcae"),
            -max(one.worst.at_least for one in pair[1]),
            pair[1][0].onset_at,
        ),
    )
    for term, group in in_order:
        yield Lane(term, [bar for one in group for bar in _list_grade_bars(axis, one, last)])


def _list_grade_bars(axis: DayAxis, content: EpisodeContent, last: float) -> Iterator[Bar]:
    ends = [*(change.at for change in content.history[1:]), content.resolved_at]
    for change, ended_at in zip(content.history, ends, strict=True):
        end = axis.count(ended_at) if ended_at else last
        title = f"{content.term}: grade {change.span}, {change.because}"
        yield Bar(axis.count(change.at), end, f"g{change.span.at_least:d}", title, str(change.span))


def _list_drug_lanes(
    axis: DayAxis, facts: Sequence[Fact], study_drug: str, last: float
) -> Iterator[Lane]:
    bars: dict[str, list[Bar]] = {}
    started_at: dict[str, datetime] = {}
    for fact in facts:
        body = fact.body
        if not isinstance(body, Administration) or body.drug == study_drug:
            continue
        lane = bars.setdefault(body.drug, [])
        if body.action is Action.DOSE:
            day = axis.count(fact.observed_at)
            lane.append(Bar(day, day + _SINGLE, "drug", _describe_dose(body)))
        elif body.action is Action.START:
            started_at.setdefault(body.drug, fact.observed_at)
        elif body.action is Action.STOP and body.drug in started_at:
            start = axis.count(started_at.pop(body.drug))
            lane.append(Bar(start, axis.count(fact.observed_at), "drug", _describe_dose(body)))
    for drug, start_at in started_at.items():
        bars[drug].append(Bar(axis.count(start_at), last, "drug", f"{drug}, no stop is known"))
    for drug in sorted(bars):
        yield Lane(drug, bars[drug])


def _describe_dose(body: Administration) -> str:
    dose = f" {body.dose.value} {body.dose.unit}" if body.dose else ""
    return f"{body.drug}{dose}"


def _list_care_lanes(axis: DayAxis, facts: Sequence[Fact], last: float) -> Iterator[Lane]:
    """Yield the lane of the hospital and that of intensive care, as far as there is any."""
    movements = [
        (fact.observed_at, fact.body.to)
        for fact in facts
        if isinstance(fact.body, Movement) and not fact.body.cancelled
    ]
    for name, places in (("hospital", _INPATIENT), ("intensive care", ("icu",))):
        bars = list(_list_stays(axis, movements, places, name, last))
        if bars:
            yield Lane(name, bars)


def _list_stays(
    axis: DayAxis,
    movements: Iterable[tuple[datetime, str]],
    places: Sequence[str],
    name: str,
    last: float,
) -> Iterator[Bar]:
    start: float | None = None
    for instant, place in movements:
        day = axis.count(instant)
        if place in places and start is None:
            start = day
        elif place not in places and start is not None:
            yield Bar(start, day, "care", name)
            start = None
    if start is not None:
        yield Bar(start, last, "care", f"{name}, no end is known")


def _list_windows(axis: DayAxis, anchors: Anchors, rules: Rules) -> Iterator[Window]:
    for name, window in rules.protocol.windows.items():
        for period in find_window_periods(window, anchors):
            yield Window(name, axis.count(period.start), axis.count(period.end))
