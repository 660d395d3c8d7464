"""The words of an explained record, for a terminal and for a page alike."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime
from zoneinfo import ZoneInfo

from services.safety_rules.reports.explained_record import Explanation, Moment
from services.safety_rules.reports.fact_text import (
    describe_body,
    describe_fact,
    find_topic,
    summarize_facts,
)
from services.vocabulary.fact import Fact
from services.vocabulary.judgement import Adjudication
from services.vocabulary.missing_inputs import describe_missing_inputs

_LINES_PER_TOPIC = 2  # facts of one measure or drug that have a line each


@dataclass(frozen=True, slots=True)
class ExplanationWords:
    """The words for facts, times and values of *explanation*; times are of the site."""

    explanation: Explanation

    def format_time(self, instant: datetime) -> str:
        """Return date, time to the minute and the short name of the zone."""
        zone = ZoneInfo(self.explanation.timezone)
        return f"{instant.astimezone(zone):%Y-%m-%d %H:%M %Z}"

    def format_moment(self, moment: Moment) -> str:
        """Return the time with its transplant and treatment days."""
        return (
            f"{self.format_time(moment.instant)}, transplant day"
            f" {_format_day(moment.transplant_day)}, treatment day"
            f" {_format_day(moment.treatment_day)}"
        )

    def format_value(self, value: object) -> str:
        """Return a value of a record; ``none`` for what is not there."""
        match value:
            case datetime():
                text = self.format_time(value)
            case tuple():
                text = ", ".join(map(self.format_value, value))
            case dict():
                text = ", ".join(f"{key} {value[key]}" for key in sorted(value))
            case bool():
                text = "yes" if value else "no"
            case int():
                text = f"{value:d}"
            case None:
                text = ""
            case _:
                text = str(value)
        return text or "none"

    def format_change(self, field: str, value: object) -> str:
        """Return a value of *field*, one of `VersionChange`; ``none`` for what is not there."""
        if field == "missing" and isinstance(value, tuple):
            return self.describe_missing(value) or "none"
        return self.format_value(value)

    def describe_missing(self, names: Iterable[str]) -> str:
        """Return the inputs called *names* in words; empty when there are none."""
        return describe_missing_inputs(names, self.explanation.versions[-1].content.criterion)

    def describe_decision(self, fact_id: str) -> str:
        """Return a person's decision in words, with the time of its signing."""
        fact = self.explanation.facts.get(fact_id)
        if fact is None or not isinstance(fact.body, Adjudication):
            return f"decision {fact_id[:8]}, no longer known"
        return f"{describe_body(fact.body)}, signed {self.format_time(fact.body.signed_at)}"

    def list_facts(self, ids: Iterable[str], indent: str = "") -> Iterator[str]:
        """Yield a line for each fact, with the participant whom it was sent about if another."""
        participant = self.explanation.versions[-1].content.participant
        for fact_id in ids:
            fact = self.explanation.facts.get(fact_id)
            if fact is None:
                yield f"{indent}fact {fact_id[:8]}, no longer known"
                continue
            origin = "" if fact.subject == participant else f", sent about {fact.subject}"
            yield f"{indent}{describe_fact(fact, self.format_time)}{origin}"

    def summarize_facts(self, ids: Iterable[str], indent: str = "") -> Iterator[str]:
        """Yield a line for each fact; many of one measure or drug share one."""
        groups: dict[str, list[Fact]] = {}
        for fact_id in ids:
            fact = self.explanation.facts[fact_id]
            groups.setdefault(find_topic(fact.body), []).append(fact)
        for facts in groups.values():
            if len(facts) > _LINES_PER_TOPIC:
                yield f"{indent}{summarize_facts(facts, self.format_time)}"
            else:
                yield from self.list_facts((fact.id for fact in facts), indent)


def _format_day(number: int | None) -> str:
    return "-" if number is None else f"{number:+d}" if number < 0 else str(number)
