"""The instants that a participant's windows and days are counted from."""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from services.safety_rules.domain.facts.current_report import rank_report
from services.vocabulary.clinical_fact import (
    Action,
    Administration,
    Death,
    Enrolment,
    Relapse,
    Transplant,
    Withdrawal,
)
from services.vocabulary.fact import Fact
from services.vocabulary.protocol import AnchorName, Protocol, Rule, Window, WindowEdge

RELAPSE = "relapse"  # as the cause of a death


@dataclass(frozen=True, slots=True)
class Anchors:
    """Milestones of one participant; instants are aware, in UTC; None: not reached or not known.

    *courses* are the first infusion of each course, in order.
    """

    site: str = ""
    timezone: str = "UTC"
    enrolled_at: datetime | None = None
    graft_at: datetime | None = None
    donor: str = ""
    second_graft_at: datetime | None = None
    courses: tuple[datetime, ...] = ()
    relapsed_at: datetime | None = None
    died_at: datetime | None = None
    death_cause: str = ""
    withdrawn_at: datetime | None = None

    @property
    def first_infusion_at(self) -> datetime | None:
        """The first dose of the study drug: the baseline anchor, treatment day 1."""
        return self.courses[0] if self.courses else None

    def find_transplant_day(self, instant: datetime) -> int | None:
        """Return the day of *instant* in the site's calendar, graft = day 0.

        >>> graft = datetime.fromisoformat("2026-03-01T02:00:00+00:00")  # still February
        >>> Anchors(timezone="America/New_York", graft_at=graft).find_transplant_day(graft)
        0
        """
        return self._count_days(self.graft_at, instant)

    def find_treatment_day(self, instant: datetime) -> int | None:
        """Return the treatment day of *instant*, first dose = day 1; None before that."""
        days = self._count_days(self.first_infusion_at, instant)
        return None if days is None or days < 0 else days + 1

    def _count_days(self, start: datetime | None, instant: datetime) -> int | None:
        if start is None:
            return None
        return (self.find_local_date(instant) - self.find_local_date(start)).days

    def find_local_date(self, instant: datetime) -> date:
        """Return the date of *instant* at the site."""
        return instant.astimezone(ZoneInfo(self.timezone)).date()

    def find_start_of_day(self, anchor: datetime, day: int) -> datetime:
        """Return the UTC instant at which day *day* after *anchor*'s date begins at the site."""
        zone = ZoneInfo(self.timezone)
        midnight = datetime.combine(
            self.find_local_date(anchor) + timedelta(days=day), time(), zone
        )
        return midnight.astimezone(UTC)


def find_anchors(facts: Iterable[Fact], protocol: Protocol) -> Anchors:
    """Return the anchors of a participant whose current facts, in any order, are *facts*.

    Of several instants of one milestone the earliest counts, of several reports of one instant the
    last one. The cause of death is the last that was reported, whatever the date beside it.
    """
    reports = sorted(facts, key=rank_report)
    anchors = Anchors(death_cause=_find_cause_of_death(reports))
    for fact in sorted(reports, key=lambda f: f.observed_at, reverse=True):
        anchors = _set_anchor(anchors, fact)
    infusions = [f for f in facts if _is_infusion(f, protocol)]
    zone = protocol.timezones.get(anchors.site, "UTC")
    if anchors.died_at is not None and anchors.death_cause == RELAPSE:
        relapsed_at = anchors.relapsed_at or anchors.died_at  # by its cause, if by nothing else
        anchors = replace(anchors, relapsed_at=min(relapsed_at, anchors.died_at))
    return replace(
        anchors, timezone=zone, courses=_find_course_starts(infusions, protocol.course_gap)
    )


def may_move_anchor(fact: Fact, protocol: Protocol) -> bool:
    """Return True when *fact* may move an anchor."""
    kinds = (Enrolment, Transplant, Death, Relapse, Withdrawal)
    return isinstance(fact.body, kinds) or _is_infusion(fact, protocol)


def _set_anchor(anchors: Anchors, fact: Fact) -> Anchors:
    instant = fact.observed_at
    match fact.body:
        case Enrolment(site=site):
            anchors = replace(anchors, site=site, enrolled_at=instant)
        case Transplant(donor=donor, number=1):
            anchors = replace(anchors, graft_at=instant, donor=donor)
        case Transplant():
            anchors = replace(anchors, second_graft_at=instant)
        case Relapse():
            anchors = replace(anchors, relapsed_at=instant)
        case Death():
            anchors = replace(anchors, died_at=instant)
        case Withdrawal():
            anchors = replace(anchors, withdrawn_at=instant)
    return anchors


def _find_cause_of_death(reports: Iterable[Fact]) -> str:
    """Return the last cause in *reports*, which are in order; a death without one denies none."""
    cause = ""
    for fact in reports:
        if isinstance(fact.body, Death):
            cause = fact.body.cause or cause
    return cause


def _is_infusion(fact: Fact, protocol: Protocol) -> bool:
    return isinstance(fact.body, Administration) and fact.body.drug == protocol.study_drug


def _find_course_starts(infusions: list[Fact], gap: timedelta) -> tuple[datetime, ...]:
    """Return the start of each course: a start with no infusion in the *gap* before it."""
    starts: list[datetime] = []
    last: datetime | None = None
    for fact in sorted(infusions, key=lambda f: (f.observed_at, f.id)):
        action = fact.body.action if isinstance(fact.body, Administration) else None
        # a rate without a start before it: the message of the start was lost
        runs = action is Action.RATE and not starts
        begins = runs or action in (Action.START, Action.DOSE)
        if begins and (last is None or fact.observed_at - last > gap):
            starts.append(fact.observed_at)
        if starts:
            last = fact.observed_at
    return tuple(starts)


@dataclass(frozen=True, slots=True)
class WindowPeriod:
    """From *start* to *end*, the latter outside."""

    start: datetime
    end: datetime

    def __contains__(self, instant: object) -> bool:
        """Return True when the instant lies inside."""
        return isinstance(instant, datetime) and self.start <= instant < self.end


def find_window_periods(window: Window, anchors: Anchors) -> tuple[WindowPeriod, ...]:
    """Return the periods of *window* for a participant: one, one for each course, or none."""
    per_course = "each_course" in (window.start.anchor, window.end.anchor)
    periods = []
    for course in anchors.courses if per_course else (None,):
        start = _place_edge(window.start, anchors, course, is_end=False)
        end = _place_edge(window.end, anchors, course, is_end=True)
        if start is not None and end is not None and start < end:
            periods.append(WindowPeriod(start, end))
    return tuple(periods)


def find_missing_anchor(rule: Rule, anchors: Anchors) -> str:
    """Return the anchor that is not known and without which a treated participant is not counted.

    Empty when the participant can be counted by *rule*, or was not treated.
    """
    if anchors.first_infusion_at is None:
        return ""
    if rule.out_of == "transplanted" and anchors.graft_at is None:
        return "transplant"
    edges = (rule.window.start, rule.window.end)
    return next((one.anchor for one in edges if not _is_known(one.anchor, anchors)), "")


def _is_known(name: AnchorName, anchors: Anchors) -> bool:
    if name == "each_course":
        return bool(anchors.courses)
    return _find_instant(name, anchors) is not None


def _find_instant(
    name: AnchorName, anchors: Anchors, course: datetime | None = None
) -> datetime | None:
    return {
        "transplant": anchors.graft_at,
        "enrolment": anchors.enrolled_at,
        "first_infusion": anchors.first_infusion_at,
        "each_course": course,
    }[name]


def _place_edge(
    edge: WindowEdge, anchors: Anchors, course: datetime | None, *, is_end: bool
) -> datetime | None:
    anchor = _find_instant(edge.anchor, anchors, course)
    if anchor is None or edge.day is None:
        return anchor
    return anchors.find_start_of_day(anchor, edge.day + is_end)
