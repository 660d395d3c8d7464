"""Records against an answer key, one by one."""

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from services.vocabulary.episode import Episode

_Key = tuple[str, str, str]


@dataclass(frozen=True, slots=True)
class Score:
    """How many records of the key are there, exactly; and every difference."""

    same: int
    expected: int
    differences: tuple[str, ...]

    def __str__(self) -> str:
        """As the demo says it."""
        sign = "=" if not self.differences else "!="
        return f"records {sign} answer key: {self.same} of {self.expected}"


def score(episodes: Sequence[Episode], key: Iterable[Mapping[str, object]]) -> Score:
    """Compare current records with the lines of an answer key (see `aegis simulate`)."""
    wanted = {_identity(line): json.dumps(dict(line), sort_keys=True) for line in key}
    found = {
        _identity(line): json.dumps(line, sort_keys=True)
        for line in (as_line(one) for one in episodes if not one.retracted)
    }
    differences = [
        f"{' '.join(identity)}: key {wanted.get(identity)}, record {found.get(identity)}"
        for identity in sorted(wanted.keys() | found.keys())
        if wanted.get(identity) != found.get(identity)
    ]
    same = sum(found.get(identity) == line for identity, line in wanted.items())
    return Score(same, len(wanted), tuple(differences))


def as_line(episode: Episode) -> dict[str, object]:
    """Return a record as a line of an answer key."""
    content = episode.content
    return {
        "participant": content.participant,
        "criterion": content.criterion,
        "onset_at": _instant(content.onset_at),
        "resolved_at": _instant(content.resolved_at) if content.resolved_at else None,
        "worst": [int(content.worst.at_least), int(content.worst.at_most)],
        "baseline_grade": int(content.baseline_grade),
        "before_exposure": content.before_exposure,
        "possible": content.possible,
    }


def _identity(line: Mapping[str, object]) -> _Key:
    return str(line["participant"]), str(line["criterion"]), str(line["onset_at"])


def _instant(at: datetime) -> str:
    return at.isoformat().replace("+00:00", "Z")
