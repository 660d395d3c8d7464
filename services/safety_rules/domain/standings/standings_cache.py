"""Where a participant stands under every rule, worked out anew only where that may have changed."""

from bisect import bisect_left
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from services.safety_rules.domain.ctcae.rule_book import Rules
from services.safety_rules.domain.facts.anchors import Anchors, find_stretches
from services.safety_rules.domain.standings.standing import (
    StandingInputs,
    TimedStanding,
    find_standing,
)
from services.vocabulary.episode import EpisodeContent
from services.vocabulary.protocol import Rule


@dataclass(frozen=True, slots=True)
class _Told:
    """An outlook, and what it was worked out from."""

    outlook: TimedStanding
    anchors: Anchors
    steroids: tuple[datetime, ...]
    known_at: datetime

    def holds(self, anchors: Anchors, steroids: tuple[datetime, ...], known_at: datetime) -> bool:
        """Say whether it is still so, if no record has changed."""
        due_at = self.outlook.due_at
        return (
            self.anchors is anchors
            and self.steroids is steroids
            and self.known_at <= known_at
            and (due_at is None or known_at < due_at)
        )


class Outlooks:
    """What was last said of one participant under each rule."""

    def __init__(self, participant: str, rules: Rules) -> None:
        """Start with nothing said."""
        self._participant = participant
        self._rules = rules
        self._told: dict[str, _Told] = {}
        self._criteria: dict[str, dict[str, bool]] = {r.id: {} for r in rules.protocol.rules}

    def forget(self, criterion: str) -> None:
        """Let the records of *criterion* have changed."""
        for rule in self._rules.protocol.rules:
            if self._concerns(rule, criterion):
                self._told.pop(rule.id, None)

    def of(
        self,
        anchors: Anchors,
        said: Mapping[str, Sequence[EpisodeContent]],
        steroids: tuple[datetime, ...],
        known_at: datetime,
    ) -> list[TimedStanding]:
        """Return the outlook under each rule; see `Knowledge`.

        Args:
            anchors: The same object as long as they have not changed; so for *steroids*.
            said: The records by criterion, in the order of onset.
            steroids: Instants of protocol-scheduled doses.
            known_at: Until when the absence of a contrary reading means something.
        """
        found = []
        for rule in self._rules.protocol.rules:
            told = self._told.get(rule.id)
            if told is None or not told.holds(anchors, steroids, known_at):
                records = list(self._records(rule, anchors, said))
                known = StandingInputs(
                    participant=self._participant,
                    anchors=anchors,
                    records=records,
                    steroids=steroids,
                    known_at=known_at,
                    matches=self._rules.matches,
                    is_laboratory=self._rules.is_laboratory,
                )
                now = find_standing(rule, self._rules.protocol, known)
                told = self._told[rule.id] = _Told(now, anchors, steroids, known_at)
            found.append(told.outlook)
        return found

    def _records(
        self, rule: Rule, anchors: Anchors, said: Mapping[str, Sequence[EpisodeContent]]
    ) -> Iterable[EpisodeContent]:
        """Yield the records that *rule* may count: those that began before its windows end."""
        ends_at = max((window.end for window in find_stretches(rule.window, anchors)), default=None)
        if ends_at is None:
            return
        for criterion in sorted(said):
            if self._concerns(rule, criterion):
                records = said[criterion]
                yield from records[: bisect_left(records, ends_at, key=_onset)]

    def _concerns(self, rule: Rule, criterion: str) -> bool:
        """Say whether *rule* counts records of *criterion*."""
        known = self._criteria[rule.id].get(criterion)
        if known is None:
            known = self._criteria[rule.id][criterion] = any(
                pattern.scale == criterion
                if pattern.scale
                else not pattern.fact and self._rules.matches(criterion, pattern)
                for pattern in rule.any_of
            )
        return known


def _onset(record: EpisodeContent) -> datetime:
    return record.onset_at
