"""The knowledge of a study, kept from one look to the next: only what has changed is read again."""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime

from services.safety_rules.application.decide_study import (
    find_last_determination,
    load_determinations,
)
from services.safety_rules.domain.ctcae.rule_book import Rules
from services.safety_rules.domain.stopping.watched_rule import WatchedRule
from services.store import observation_times, records
from services.store.positions import PositionTracker
from services.store.records import StandingRow
from services.store.session import Connection
from services.vocabulary.decision import Decision
from services.vocabulary.standing import ObservedStanding, Standing

_LONG_AGO = datetime.min.replace(tzinfo=UTC)  # nobody is counted of whom nothing is dated


class StudyWatch:
    """The decisions of a study's rules at each look: those of `decide_rules`, of all that is known.

    A participant is read again when a fact of theirs was stored, or folded. One thread uses it.
    """

    def __init__(self) -> None:
        """Know nothing: the first look reads everything."""
        self._rules: Rules | None = None
        self._forget()

    def decide(self, conn: Connection, rules: Rules) -> tuple[Decision, ...]:
        """Return the decision of every rule of *rules*; of a study without facts there is none."""
        is_known, study = rules is self._rules, rules.protocol.study
        self._rules = (
            None  # what fails on the way is read anew: nothing is known until all of it is
        )
        if not is_known:
            self._forget()
        subjects = self._positions.find_moved(conn, study)
        if not is_known:
            self._watch_all(conn, rules)
        elif subjects:
            self._update(conn, study, subjects)
        received = self._positions.last_received_at
        as_of = max((at for at in (self._known_at, received) if at is not None), default=None)
        determinations = load_determinations(conn, study)
        found_decisions = (
            ()
            if as_of is None
            else tuple(
                self._watched_rules[rule.id].decide(
                    as_of, find_last_determination(determinations, rule.id)
                )
                for rule in rules.protocol.rules
            )
        )
        self._rules = rules
        return found_decisions

    def _forget(self) -> None:
        self._positions = PositionTracker()
        self._watched_rules: dict[str, WatchedRule] = {}
        self._standings: defaultdict[str, dict[str, Standing]] = defaultdict(dict)
        self._merged_identities: defaultdict[str, set[str]] = defaultdict(set)
        self._observations: dict[str, datetime] = {}
        self._known_at: datetime | None = None

    def _watch_all(self, conn: Connection, rules: Rules) -> None:
        study = rules.protocol.study
        self._observations = dict(observation_times.find_last_observations(conn, study=study))
        self._add_rows(records.load_latest_standings(conn, study))
        observed_standings = self._observe(self._standings)
        for rule in rules.protocol.rules:
            of_rule = (one for one in observed_standings if one.standing.rule == rule.id)
            self._watched_rules[rule.id] = WatchedRule(rules.protocol, rule, of_rule)

    def _update(self, conn: Connection, study: str, subjects: set[str]) -> None:
        rows = records.load_latest_standings(conn, study, subjects=sorted(subjects))
        self._observations |= observation_times.find_last_observations(
            conn, study=study, subjects=sorted(subjects)
        )
        self._add_rows(rows)
        survivors = {row.standing.merged_into for row in rows} - {""}
        for observed in self._observe(subjects | survivors):
            watched_rule = self._watched_rules.get(observed.standing.rule)
            if watched_rule is not None:
                watched_rule.put(observed)

    def _add_rows(self, rows: Sequence[StandingRow]) -> None:
        for row in rows:
            standing = row.standing
            self._standings[standing.participant][standing.rule] = standing
            if standing.merged_into:
                self._merged_identities[standing.merged_into].add(standing.participant)
            self._known_at = max(row.known_at, self._known_at or row.known_at)

    def _observe(self, subjects: Iterable[str]) -> list[ObservedStanding]:
        """Return the standings of *subjects*, each with the last observation of the person."""
        return [
            ObservedStanding(standing, self._find_observed_until(standing))
            for subject in subjects
            for standing in self._standings.get(subject, {}).values()
        ]

    def _find_observed_until(self, standing: Standing) -> datetime:
        """Return the last observation of the person, also under identities merged away."""
        participant = standing.participant
        identities = [
            participant,
            *(
                one
                for one in self._merged_identities.get(participant, ())
                if self._is_merged_into(participant, one, standing.rule)
            ),
        ]
        instants = [self._observations[one] for one in identities if one in self._observations]
        return max(instants, default=standing.exposed_at or _LONG_AGO)

    def _is_merged_into(self, survivor: str, identity: str, rule: str) -> bool:
        standing = self._standings[identity].get(rule)
        return standing is not None and standing.merged_into == survivor
