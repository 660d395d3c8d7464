"""The identity of records when the runs behind them change."""

from dataclasses import replace
from datetime import timedelta

import pytest

from services.safety_rules.domain.episodes.identity import (
    Occasion,
    reconcile_records,
    retract_records,
)
from services.safety_rules.domain.episodes.overlap import find_overlap
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


OVERLAPS = {  # two records; the hours that they share, None: no time
    "the same": ("0-5:2", "0-5:1", 5),
    "one inside the other": ("0-9:2", "2-5:1", 3),
    "one after the other begins": ("0-5:2", "4-9:1", 1),
    "one as the other ends": ("0-5:2", "5-9:1", None),
    "apart": ("0-5:2", "6-9:1", None),
    "one onset, one of no time": ("3-9:2", "3-3:1", 0),
    "one of no time inside": ("0-9:2", "3-3:1", None),
    "one not over": ("0-:2", "3-5:1", 2),
    "one that was over before": ("3-:2", "0-2:1", None),
}


@pytest.mark.parametrize(("first", "second", "shared_hours"), OVERLAPS.values(), ids=OVERLAPS)
def test_records_share_time_or_their_onset(first, second, shared_hours):
    expected = None if shared_hours is None else timedelta(hours=shared_hours)
    for one, other in ((first, second), (second, first)):
        assert find_overlap(content(one), content(other)) == expected
    early_content = replace(content(first), before_exposure=True)
    assert find_overlap(early_content, content(second)) is None


# a removed record, one that stands, until when its evidence goes; whether it takes the place
SUCCESSORS = {
    "evidence before it": ("5-8:2", "0-:2", 4.99, False),
    "evidence to its onset": ("5-8:2", "0-:2", 5, True),
    "evidence that may go on": ("5-8:2", "0-:2", None, True),
    "evidence into it": ("5-8:2", "0-:2", 6, True),
    "begun before its end": ("5-8:2", "7-9:2", 9, True),
    "begun at its end": ("5-8:2", "8-9:2", 9, False),
    "not over, begun at its last change": ("5-:2", "5-9:2", 9, True),
    "not over, begun after its last change": ("5-:2", "6-9:2", 9, False),
    "apart": ("5-8:2", "9-10:2", None, False),
}


@pytest.mark.parametrize(
    ("removed", "standing", "evidence_hour", "takes_place"), SUCCESSORS.values(), ids=SUCCESSORS
)
def test_a_record_takes_the_place_of_one_that_its_evidence_reaches(
    removed, standing, evidence_hour, takes_place
):
    (removed_record,), (survivor,) = records(removed), records(standing)
    survivor = replace(survivor, id="survivor")
    evidence_end = None if evidence_hour is None else hours(evidence_hour)
    (version,) = retract_records([removed_record], [survivor], occasion(2), lambda _: evidence_end)
    assert (version.retracted, version.version, version.seq) == (True, 2, 2)
    assert (version.cause, version.merged_into) == (
        ("merged", "survivor") if takes_place else ("retracted", "")
    )


def test_of_two_that_take_the_place_the_longer_overlap_is_named():
    (removed_record,) = records("0-9:2")
    survivors = [
        replace(one, id=name)
        for name, text in (("short", "0-2:2"), ("long", "3-9:2"), ("other", "4-5:2"))
        for one in records(text)
    ]
    for order in (survivors, survivors[::-1]):
        (version,) = retract_records([removed_record], order, occasion(2))
        assert version.merged_into == "long"


def test_the_nearer_of_two_that_share_as_much_goes_on():
    first, second = records("0-4:2 6-10:2")
    (version, retracted_version) = reconcile_records(
        [first, second], [content("2-8:2")], occasion(2)
    )
    assert (version.id, version.cause) == (first.id, "changed")
    assert (retracted_version.id, retracted_version.merged_into) == (second.id, first.id)
    (version, _) = reconcile_records([first, second], [content("1-10:2")], occasion(2))
    assert version.id == second.id


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
