"""A rule and the standings under it, decided again and again: only what changed is worked out."""

from collections.abc import Iterable
from dataclasses import replace
from datetime import datetime

from services.safety_rules.domain.stopping.monitor import decide_standings
from services.safety_rules.domain.stopping.rule_history import HistoryCache
from services.safety_rules.domain.stopping.rule_standings import RuleStandings
from services.vocabulary.decision import Decision
from services.vocabulary.judgement import Determination
from services.vocabulary.protocol import Protocol, Rule
from services.vocabulary.standing import ObservedStanding


class WatchedRule:
    """One rule of a protocol; its decisions are those of `monitor.decide_rule`."""

    def __init__(
        self, protocol: Protocol, rule: Rule, observed: Iterable[ObservedStanding] = ()
    ) -> None:
        """Hold *observed*: one of each identity, in any order.

        Raises:
            ValueError: A standing is under another rule, or an exposed one has no end of window.
        """
        self._protocol = protocol
        self._standings, self._histories = RuleStandings(rule, observed), HistoryCache(rule)
        self._last_decision: Decision | None = None
        self._last_basis: tuple[int, Determination | None] | None = None
        self._holds_until: datetime | None = None

    def put(self, observed: ObservedStanding) -> None:
        """Replace what is known of one participant.

        Raises:
            ValueError: The standing is under another rule, or exposed without end of its window.
        """
        self._standings.put(observed)

    def decide(self, as_of: datetime, determination: Determination | None = None) -> Decision:
        """Return the decision at the data cut *as_of*, with the DSMB's last answer."""
        basis = self._standings.revision, determination
        decision = self._last_decision
        if (
            decision is None
            or basis != self._last_basis
            or not self._holds_at(decision.as_of, as_of)
        ):
            decision = decide_standings(
                self._protocol, self._standings, self._histories, as_of, determination
            )
            self._last_decision, self._last_basis, self._holds_until = decision, basis, None
            return decision
        return replace(decision, as_of=as_of, data_to=self._standings.find_data_end(as_of))

    def _holds_at(self, decided_at: datetime, as_of: datetime) -> bool:
        """Return True when time alone changes nothing from *decided_at* to *as_of*."""
        if self._holds_until is None:
            self._holds_until = self._standings.find_next_change(decided_at)
        return decided_at <= as_of < self._holds_until
