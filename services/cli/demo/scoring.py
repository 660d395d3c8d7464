"""Records, decisions and mails against the answer key of a simulated trial, one by one."""

import json
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from email.message import Message

from services.vocabulary.decision import Decision
from services.vocabulary.episode import Episode

# The answer key's word for the events that each rule of the shipped trial counts.
KEY_EVENTS: Mapping[str, str] = {
    "BLINA-HSCT.S1": "crs",
    "BLINA-HSCT.S2": "neurotoxicity",
    "BLINA-HSCT.S3": "non-hematologic",
    "BLINA-HSCT.S4": "nrm",
}

_Key = tuple[str, ...]
_ABOUT_A_PARTICIPANT = re.compile(
    r"(?P<retracted>Retracted: )?.*\[[^\]]+\] (?P<participant>\S+): "
    r"(?P<term>death|.*(?=, grade )).*"
)


@dataclass(frozen=True, slots=True)
class Score:
    """The entries of an answer key that came out exactly, and every difference."""

    subject: str
    equal_count: int
    expected_count: int
    differences: tuple[str, ...]

    def __str__(self) -> str:
        """As the demo prints it.

        >>> print(Score("mails", 2, 3, ("P-001 death: no mail",)))
        mails != answer key: 2 of 3
        """
        sign = "=" if not self.differences else "!="
        return f"{self.subject} {sign} answer key: {self.equal_count} of {self.expected_count}"


def score_records(episodes: Sequence[Episode], key: Iterable[Mapping[str, object]]) -> Score:
    """Compare current records with the lines of an answer key (see `aegis simulate`)."""
    lines = (make_key_line(episode) for episode in episodes if not episode.retracted)
    return _compare(
        "records",
        {_make_key(line): json.dumps(dict(line), sort_keys=True) for line in key},
        {_make_key(line): json.dumps(line, sort_keys=True) for line in lines},
    )


def score_decisions(decisions: Iterable[Decision], key: Mapping[str, Iterable[str]]) -> Score:
    """Compare whom each stopping rule counts with whom the generator made an event.

    Args:
        decisions: The last of each rule.
        key: Participants by what a rule counts, e.g. ``crs``; a rule that is not the shipped
            trial's has no key.
    """
    actual: dict[_Key, str] = {
        (decision.rule,): ", ".join(sorted(one.participant for one in decision.contributors))
        for decision in decisions
        if decision.rule in KEY_EVENTS
    }
    expected = {(*rule,): ", ".join(sorted(key[KEY_EVENTS[rule[0]]])) for rule in actual}
    return _compare("decisions", expected, actual)


def score_mails(
    mails: Iterable[Message], key: Iterable[Mapping[str, object]], deaths: Iterable[str], grade: int
) -> Score:
    """Compare the mails about participants with the events that call for one.

    Whatever else was told must have been taken back: the last mail about it is a retraction.

    Args:
        mails: In the order in which they came.
        key: Lines of the answer key, each with the ``term`` as a mail calls it.
        deaths: Of the participants (pseudonyms).
        grade: From which a record is told, as its protocol says.
    """
    last: dict[_Key, str] = {}
    for mail in mails:
        if match := _ABOUT_A_PARTICIPANT.fullmatch(str(mail["Subject"])):
            last[match["participant"], match["term"]] = match["retracted"] or "told"
    told_events = {event: "told" for event, word in last.items() if word == "told"}
    expected = {
        (str(line["participant"]), str(line["term"]))
        for line in key
        if _find_worst_grade(line) >= grade
    }
    expected |= {(participant, "death") for participant in deaths}
    return _compare("mails", dict.fromkeys(expected, "told"), told_events)


def _find_worst_grade(line: Mapping[str, object]) -> int:
    worst = line["worst"]
    return max(worst) if isinstance(worst, list) else 0


def _compare(subject: str, expected: Mapping[_Key, str], actual: Mapping[_Key, str]) -> Score:
    differences = [
        f"{' '.join(identity)}: key {expected.get(identity)}, {subject} {actual.get(identity)}"
        for identity in sorted(expected.keys() | actual.keys())
        if expected.get(identity) != actual.get(identity)
    ]
    equal_count = sum(actual.get(identity) == entry for identity, entry in expected.items())
    return Score(subject, equal_count, len(expected), tuple(differences))


def make_key_line(episode: Episode) -> dict[str, object]:
    """Return a record as a line of an answer key."""
    content = episode.content
    return {
        "participant": content.participant,
        "criterion": content.criterion,
        "onset_at": _format_instant(content.onset_at),
        "resolved_at": _format_instant(content.resolved_at) if content.resolved_at else None,
        "worst": [int(content.worst.at_least), int(content.worst.at_most)],
        "baseline_grade": int(content.baseline_grade),
        "before_exposure": content.before_exposure,
        "possible": content.possible,
    }


def _make_key(line: Mapping[str, object]) -> _Key:
    return str(line["participant"]), str(line["criterion"]), str(line["onset_at"])


def _format_instant(at: datetime) -> str:
    return at.isoformat().replace("+00:00", "Z")
