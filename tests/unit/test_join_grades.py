"""Runs from graded readings, written as a line of grades.

``0 2 3-4 ? 0``: a reading every hour; ``?`` is 0-4; ``|`` is the baseline anchor (``|2``: with
baseline grade 2); ``..336`` is a silence of so many hours; a trailing ``p`` marks a provisional
reading. The gap within one run is 14 days, 336 hours.
"""

from datetime import timedelta

import pytest

from services.safety_rules.domain.grade_runs.join_grades import (
    GradePoint,
    GradeRunState,
    extend_run,
    start_exposure,
)
from services.vocabulary.episode import Span
from services.vocabulary.grade import Grade
from tests.helpers.fact_notes import hours

GAP = timedelta(days=14)

# a run: onset-resolution (hours), its history, then b(efore exposure), p(ossible), ~ (doubtful);
# (3) before the onset: the earliest possible one; after the resolution likewise
TABLE = {
    "normal": ("0 0 0", []),
    "one event": ("0 2 2 0", ["1-3 2 b"]),
    "goes on": ("0 2", ["1- 2 b"]),
    "rises and falls": ("1 3 2 0", ["0-3 1,3,2 b"]),
    "two events": ("1 0 2 0", ["0-1 1 b", "2-3 2 b"]),
    "interval inside a run": ("2 ? 2 0", ["0-3 2,0-4,2 b"]),
    "interval before a run makes its onset one": ("0 ? 2 0", ["(1)2-3 2 b"]),
    "interval after a run makes its end one": ("2 ? 0", ["0-2(1) 2,0-4 b"]),
    "interval alone is possible": ("0 ? 0", ["1-2 0-4 bp"]),
    "interval above the baseline is certain": ("1-2 0", ["0-1 1-2 b"]),
    "before and after exposure": ("2 2 | 2 0", ["0-2 2 b", "2-3 2"]),
    "only what rises above the baseline grade": ("2 2 |2 2 3 2", ["0-2 2 b", "3-4 3"]),
    "an interval that spans the baseline grade": ("|2 1-3 2", ["0-1 1-3 p"]),
    "cut although nothing follows": ("2 |", ["0-1 2 b"]),
    "a long silence splits": ("2 ..480 2", ["0- 2 b", "480- 2 b"]),
    "a silence of a second less than the gap": ("2 ..335.9997 2", ["0- 2 b"]),
    "a silence of exactly the gap": ("2 ..336 2", ["0- 2 b"]),
    "a silence of a second more than the gap": ("2 ..336.0003 2", ["0- 2 b", "336.0003- 2 b"]),
    "a normal reading after exactly the gap": ("2 ..336 0", ["0-336 2 b"]),
    "a normal reading after more than the gap": ("2 ..336.0003 0", ["0- 2 b"]),
    "an unclear reading after exactly the gap": ("2 ..336 ?", ["0- 2,0-4 b"]),
    "an unclear reading after more than the gap": ("2 ..337 ?", ["0- 2 b", "337- 0-4 bp"]),
    "the silence counts from the last reading": ("2 2 ..336 2 0", ["0-338 2 b"]),
    "the onset rests on a preliminary value": ("0 2p 2 0", ["1-3 2 b~"]),
    "the worst rests on a preliminary value": ("1 3p 0", ["0-2 1,3 b~"]),
    "a later preliminary value of the same grade": ("2 2p 0", ["0-2 2 b"]),
}


def follow(line):
    run_state, hour, runs = GradeRunState(), 0, []
    for word in line.split():
        if word.startswith(".."):
            hour += float(word[2:]) - 1
            continue
        if word.startswith("|"):
            run_state, ended_run = start_exposure(run_state, hours(hour), Grade(int(word[1:] or 0)))
            runs.append(ended_run)
            continue
        low, _, high = word.rstrip("p").replace("?", "0-4").partition("-")
        span = Span(Grade(int(low)), Grade(int(high or low)))
        reading = GradePoint(hours(hour), span, "", (), (f"f{hour}",), word.endswith("p"))
        run_state, ended_run = extend_run(run_state, reading, GAP)
        runs.append(ended_run)
        hour += 1
    return [run for run in (*runs, run_state.open_run) if run]


def describe(episode_run):
    def hour(instant):
        return f"{(instant - hours(0)).total_seconds() / 3600:.7g}" if instant else ""

    earliest = f"({hour(episode_run.onset_not_before)})" if episode_run.onset_not_before else ""
    end = f"({hour(episode_run.resolved_not_before)})" if episode_run.resolved_not_before else ""
    history = ",".join(str(change.span) for change in episode_run.history)
    marks = (
        "b" * episode_run.before_exposure
        + "p" * episode_run.possible
        + "~" * episode_run.provisional
    )
    times = f"{earliest}{hour(episode_run.onset_at)}-{hour(episode_run.resolved_at)}{end}"
    return f"{times} {history} {marks}".strip()


@pytest.mark.parametrize(("line", "expected"), TABLE.values(), ids=TABLE)
def test_runs(line, expected):
    assert [describe(run) for run in follow(line)] == expected


def test_evidence_is_named_at_every_change():
    (episode_run,) = follow("0 1 1 3 0")
    assert [(change.at, change.facts) for change in episode_run.history] == [
        (hours(1), ("f1",)),
        (hours(3), ("f3",)),
    ]
