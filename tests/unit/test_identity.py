"""The identity of records when the runs behind them change."""

import pytest

from services.safety_rules.domain.episodes.identity import (
    Occasion,
    reconcile_records,
    retract_records,
)
from services.vocabulary.episode import Change, EpisodeContent, Span
from services.vocabulary.grade import Grade
from tests.helpers.fact_notes import hours

# runs before, runs after ("onset-resolution:grade"), then the versions that are appended
TABLE = {
    "first record": ("", "0-5:2", "A v1 new"),
    "nothing new": ("0-5:2", "0-5:2", ""),
    "resolved": ("0-:2", "0-5:2", "A v2 changed"),
    "worse": ("0-:2", "0-:3", "A v2 changed"),
    "gone": ("0-5:2", "", "A v2 retracted"),
    "earlier onset": ("4-9:2", "0-9:2", "A v2 changed"),
    "split keeps the longer part": ("0-9:2", "0-6:2 7-9:2", "A v2 changed; C v1 new"),
    "split, the later part is longer": ("0-9:2", "0-2:2 3-9:2", "C v1 new; A v2 changed"),
    "split in halves keeps the earlier": ("0-8:2", "0-4:2 4-8:2", "A v2 changed; C v1 new"),
    "two become one": ("0-6:2 7-9:2", "0-9:2", "A v2 changed; B v2 merged into A"),
    "the second was longer": ("0-2:2 3-9:2", "0-9:2", "B v2 changed; A v2 merged into B"),
    "another one": ("0-2:2", "0-2:2 5-6:1", "C v1 new"),
    "moved to where it ended": ("0-4:2", "4-8:2", "C v1 new; A v2 retracted"),
    "moved away": ("0-2:2", "5-6:1", "C v1 new; A v2 retracted"),
}


def content(text, participant="P-001"):
    ends, _, grade = text.partition(":")
    onset, resolution = ends.split("-")
    span = Span(Grade(int(grade)), Grade(int(grade)))
    onset_at = hours(float(onset))
    return EpisodeContent(
        participant=participant,
        criterion="ctcae-5.0.anemia",
        term="Anemia",
        onset_at=onset_at,
        resolved_at=hours(float(resolution)) if resolution else None,
        history=(Change(onset_at, span, ""),),
        worst=span,
        current=span,
    )


def occasion(seq):
    return Occasion("P-001", seq, hours(seq), "r1")


def records(text):
    return reconcile_records((), [content(run) for run in text.split()], occasion(1))


def describe(versions, names):
    lines = []
    for version in versions:
        name = names.setdefault(version.id, "C")
        suffix = f" into {names[version.merged_into]}" if version.merged_into else ""
        lines.append(f"{name} v{version.version} {version.cause}{suffix}")
    return "; ".join(lines)


@pytest.mark.parametrize(("before_script", "after_script", "expected"), TABLE.values(), ids=TABLE)
def test_versions(before_script, after_script, expected):
    latest = records(before_script)
    names = {old.id: "AB"[place] for place, old in enumerate(latest)}
    versions = reconcile_records(
        latest, [content(run) for run in after_script.split()], occasion(2)
    )
    assert describe(versions, names or {new.id: "A" for new in versions}) == expected


def test_a_record_that_returns_after_its_retraction_keeps_its_id():
    (first,) = records("0-5:2")
    (retracted_version,) = reconcile_records([first], [], occasion(2))
    (back,) = reconcile_records([retracted_version], [content("0-5:2")], occasion(3))
    assert (retracted_version.retracted, retracted_version.cause) == (True, "retracted")
    assert (back.id, back.version, back.cause, back.retracted) == (first.id, 3, "returned", False)


def test_a_record_of_a_merged_participant_names_the_one_that_holds_its_facts():
    (first_version,) = records("0-5:2")
    (other_version,) = reconcile_records((), [content("1-9:2", "P-002")], occasion(1))
    (retracted_version,) = retract_records([first_version], [other_version], occasion(2))
    assert (retracted_version.cause, retracted_version.merged_into) == ("merged", other_version.id)


def test_ids_are_made_of_content():
    assert [e.id for e in records("0-5:2 6-7:1")] == [e.id for e in records("0-5:2 6-7:1")]
    assert len({e.id for e in records("0-5:2 6-7:1")}) == 2


def test_a_record_that_other_rules_make_of_the_same_message_has_an_id_of_its_own():
    (first_version,) = records("0-2:2")
    new_version, retracted_version = reconcile_records(
        [first_version], [content("5-6:1")], occasion(1)
    )
    assert (new_version.cause, retracted_version.cause) == ("new", "retracted")
    assert new_version.id != first_version.id
