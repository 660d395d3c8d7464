"""Versions of a record: each row is a course of messages and the versions that they make.

A message is ``order value status hour``: a neutrophil count (10*9/L, lower limit 1.8) of that lab
order, drawn so many hours after the first dose; ``-`` is no value. Messages are reported in the
order in which they come, except where a fifth word says by how much one is older.
"""

import pytest

from services.safety_rules.domain.participant.linked_participants import LinkedParticipants
from services.safety_rules.domain.participant.received_message import ReceivedMessage
from services.safety_rules.domain.participant.record_history import RecordHistory
from services.vocabulary.clinical_fact import Action, Administration, Death, Transplant
from services.vocabulary.episode import EpisodeState
from services.vocabulary.identity_change import Merge
from services.vocabulary.judgement import Adjudication, Verdict
from tests.helpers.fact_notes import fact, hours, lab, status
from tests.helpers.random_trials import RULES

ANC = "ctcae-5.0.neutrophil-count-decreased"

# 3.0 is normal, 1.2 grade 2, 0.7 grade 3, 0.3 grade 4
TABLE = {
    "a result": (["1 0.7 F 24"], ["A1 new: 3 from 24"]),
    "a normal result": (["1 3.0 F 24"], [""]),
    "the same content in another message": (
        ["1 0.7 F 24", "1 0.7 F 24"],
        ["A1 new: 3 from 24", ""],
    ),
    "corrected to a worse grade": (
        ["1 0.7 F 24", "1 0.3 C 24"],
        ["A1 new: 3 from 24", "A2 changed: 4 from 24"],
    ),
    "corrected to a milder grade": (
        ["1 0.3 F 24", "1 1.2 C 24"],
        ["A1 new: 4 from 24", "A2 changed: 2 from 24"],
    ),
    "corrected to normal": (
        ["1 0.7 F 24", "1 3.0 C 24"],
        ["A1 new: 3 from 24", "A2 retracted"],
    ),
    "corrected to normal, and back": (
        ["1 0.7 F 24", "1 3.0 C 24", "1 0.7 C 24"],
        ["A1 new: 3 from 24", "A2 retracted", "A3 returned: 3 from 24"],
    ),
    "corrected to what cannot be read": (
        ["1 0.7 F 24", "1 - C 24"],
        ["A1 new: 3 from 24", "A2 changed: 0-4 from 24"],
    ),
    "deleted": (["1 0.7 F 24", "1 0.7 D 24"], ["A1 new: 3 from 24", "A2 retracted"]),
    "deleted without its value": (
        ["1 0.7 F 24", "1 - D 24"],
        ["A1 new: 3 from 24", "A2 retracted"],
    ),
    "another patient's": (["1 0.7 F 24", "1 0.7 W 24"], ["A1 new: 3 from 24", "A2 retracted"]),
    "not obtained after all": (["1 0.7 F 24", "1 - X 24"], ["A1 new: 3 from 24", "A2 retracted"]),
    "deleted, then reported again": (
        ["1 0.7 F 24", "1 0.7 D 24", "1 0.3 F 24"],
        ["A1 new: 3 from 24", "A2 retracted", "A3 returned: 4 from 24"],
    ),
    "preliminary, then final": (
        ["1 0.7 P 24", "1 0.7 F 24"],
        ["A1 new: 3 from 24, provisional", "A2 changed: 3 from 24"],
    ),
    "preliminary, then final and normal": (
        ["1 0.7 P 24", "1 3.0 F 24"],
        ["A1 new: 3 from 24, provisional", "A2 retracted"],
    ),
    "unverified, then final and worse": (
        ["1 0.7 R 24", "1 0.3 F 24"],
        ["A1 new: 3 from 24, provisional", "A2 changed: 4 from 24"],
    ),
    "preliminary, promoted without a value": (
        ["1 0.7 P 24", "1 - U 24"],
        ["A1 new: 3 from 24, provisional", "A2 changed: 3 from 24"],
    ),
    "a promotion before what it promotes": (
        ["1 - U 24", "1 0.7 P 24 -1"],
        ["", "A1 new: 3 from 24"],
    ),
    "a final result before its preliminary": (
        ["1 0.7 F 24", "1 0.3 P 24 -1"],
        ["A1 new: 3 from 24", ""],
    ),
    "a corrected time": (
        ["1 0.7 F 24", "1 0.7 C 30"],
        ["A1 new: 3 from 24", "A2 changed: 3 from 30"],
    ),
    "over": (
        ["1 0.7 F 24", "2 3.0 F 48"],
        ["A1 new: 3 from 24", "A2 changed: 3 from 24 to 48"],
    ),
    "the resolution corrected away": (
        ["1 0.7 F 24", "2 3.0 F 48", "2 0.3 C 48"],
        ["A1 new: 3 from 24", "A2 changed: 3 from 24 to 48", "A3 changed: 4 from 24"],
    ),
    "a late result before the onset": (
        ["1 0.7 F 24", "2 1.2 F 12"],
        ["A1 new: 3 from 24", "A2 changed: 3 from 12"],
    ),
    "a late normal result splits: the longer part keeps the record": (
        ["1 0.7 F 24", "2 0.7 F 60", "3 3.0 F 72", "4 3.0 F 48"],
        [
            "A1 new: 3 from 24",
            "",
            "A2 changed: 3 from 24 to 72",
            "A3 changed: 3 from 24 to 48; B1 new: 3 from 60 to 72",
        ],
    ),
    "a correction joins: of two as long the earlier keeps the record": (
        ["1 0.7 F 24", "2 3.0 F 36", "3 0.3 F 48", "4 3.0 F 60", "2 0.7 C 36"],
        [
            "A1 new: 3 from 24",
            "A2 changed: 3 from 24 to 36",
            "B1 new: 4 from 48",
            "B2 changed: 4 from 48 to 60",
            "A3 changed: 4 from 24 to 60; B3 merged into A",
        ],
    ),
    "a silence of twenty days makes two records": (
        ["1 0.7 F 24", "2 0.3 F 504"],
        ["A1 new: 3 from 24", "B1 new: 4 from 504"],
    ),
    "the record before a silence is deleted: the one after it stays as it is": (
        ["1 0.7 F 24", "2 0.3 F 504", "1 0.7 D 24"],
        ["A1 new: 3 from 24", "B1 new: 4 from 504", "A2 retracted"],
    ),
    "the record after a silence is deleted: the one before it stays as it is": (
        ["1 0.7 F 24", "2 0.3 F 504", "2 0.3 D 504"],
        ["A1 new: 3 from 24", "B1 new: 4 from 504", "B2 retracted"],
    ),
    "a late result bridges the silence": (
        ["1 0.7 F 24", "2 0.3 F 504", "3 0.7 F 264"],
        ["A1 new: 3 from 24", "B1 new: 4 from 504", "A2 changed: 4 from 24; B2 merged into A"],
    ),
    "drawn as the first dose is given": (["1 0.7 F 0"], ["A1 new: 3 from 0"]),
    "drawn just before the first dose": (
        ["1 0.7 F -0.1"],
        ["A1 new: 3 from -0.1 to 0, before exposure"],
    ),
    "a late result of the instant of the first dose is no baseline": (
        ["1 0.3 F 24", "2 0.7 F 0"],
        ["A1 new: 4 from 24", "A2 changed: 4 from 0"],
    ),
    "a late baseline that was low already": (
        ["1 0.7 F 24", "2 0.7 F -24"],
        ["A1 new: 3 from 24", "B1 new: 3 from -24 to 0, before exposure; A2 retracted"],
    ),
    "a late baseline that was lower than now": (
        ["1 0.3 F 24", "2 0.7 F -24"],
        [
            "A1 new: 4 from 24",
            "B1 new: 3 from -24 to 0, before exposure; A2 changed (baseline): 4 from 24 above 3",
        ],
    ),
}


class Course:
    """One family that hears messages; says what each one did."""

    def __init__(self, *members):
        self.record_history = RecordHistory(LinkedParticipants(members, RULES), RULES)
        self.names, self.number = {}, 0
        for member in members:
            self.hear(
                fact(Transplant("haploidentical"), -78 * 24, subject=member),
                fact(Administration("blinatumomab", Action.START), 0, subject=member),
            )

    def hear(self, *facts):
        self.number += 1
        subject = facts[0].subject
        self.record_history.receive(
            ReceivedMessage(hours(1000 + self.number), subject, self.number, facts)
        )
        versions = [
            one for one in self.record_history.take_changes()[0] if one.content.criterion == ANC
        ]
        for version in sorted(versions, key=lambda v: (v.version, v.content.onset_at)):
            self.names.setdefault(version.id, "ABC"[len(self.names)])
        order = sorted(versions, key=lambda v: (v.retracted, v.content.onset_at))
        return "; ".join(self.describe(one) for one in order)

    def result(self, row, subject="P-001"):
        order, value, letter, observed_hour, *reported_words = row.split()
        return self.hear(
            lab(
                "neutrophils",
                None if value == "-" else value,
                float(observed_hour),
                "10*9/L",
                lln="1.8",
                status=status(letter),
                series=order,
                name=f"{subject}-{self.number}",
                reported_hour=self.number
                + (float(reported_words[0]) - 0.5 if reported_words else 0),
                subject=subject,
            )
        )

    def say(self, verdict, observed_hour, **fields):
        body = Adjudication(ANC, verdict, "adjudicator", "seen", hours(600), **fields)
        return self.hear(fact(body, observed_hour, name=f"said-{self.number}"))

    def describe(self, version):
        name, content = self.names[version.id], version.content
        if version.merged_into:
            return f"{name}{version.version} merged into {self.names[version.merged_into]}"
        if version.retracted:
            return f"{name}{version.version} retracted"
        hour = {at: f"{(at - hours(0)).total_seconds() / 3600:g}" for at in instants(content)}
        text = f"{name}{version.version} {version.cause}: {content.worst}"
        text += f" from {hour[content.onset_at]}"
        text += f" to {hour[content.resolved_at]}" if content.resolved_at else ""
        text += f" above {content.baseline_grade:d}" if content.baseline_grade else ""
        text += f", {content.state}" if content.state is not EpisodeState.SUSPECTED else ""
        text += ", before exposure" if content.before_exposure else ""
        return text + (", provisional" if content.provisional else "")

    def queries(self):
        return [query.problem for query in self.record_history.list_queries()]


def instants(content):
    return [at for at in (content.onset_at, content.resolved_at) if at]


@pytest.mark.parametrize(("messages", "expected"), TABLE.values(), ids=TABLE)
def test_versions(messages, expected):
    course = Course("P-001")
    assert [course.result(row) for row in messages] == expected


def test_a_rejection_is_of_the_record_that_contains_its_instant():
    course = Course("P-001")
    course.result("1 0.7 F 24")
    course.result("2 3.0 F 48")
    assert course.say(Verdict.REJECT, 30) == "A3 changed: 3 from 24 to 48, rejected"
    assert course.queries() == []


def test_a_rejection_after_a_silence_is_not_of_the_record_before_it():
    course = Course("P-001")
    course.result("1 0.7 F 24")
    course.result("2 0.3 F 504")
    assert course.say(Verdict.REJECT, 510) == "B2 changed: 4 from 504, rejected"
    assert course.say(Verdict.CONFIRM, 24) == "A2 changed: 3 from 24, confirmed"


def test_a_death_after_a_silence_is_not_of_the_record_before_it():
    course = Course("P-001")
    course.result("1 0.7 F 24")
    course.result("2 0.3 F 504")
    assert course.hear(fact(Death(ANC), 520)) == "B2 changed (death): 5 from 504, confirmed"


def test_an_adjudication_whose_record_is_gone_is_looked_into_and_holds_when_it_is_back():
    course = Course("P-001")
    course.result("1 0.7 F 24")
    course.say(Verdict.CONFIRM, 24)
    assert course.result("1 3.0 C 24") == "A3 retracted"
    problem = "an adjudication matches no record any longer"
    assert course.queries() == [problem]
    assert course.result("1 0.3 C 24") == "A4 returned: 4 from 24, confirmed"
    assert problem not in course.queries()


def test_a_regrade_holds_when_the_result_is_corrected_to_the_same_grade():
    course = Course("P-001")
    course.result("1 0.7 F 24")
    assert course.say(Verdict.REGRADE, 24, grade=2) == "A2 changed: 2 from 24, confirmed"
    assert course.result("1 0.6 C 24") == "A3 changed: 2 from 24, confirmed"


def merge(*, is_undone=False, observed_hour=300):
    """One message that stands in both journals."""
    return [
        fact(
            Merge("P-002", "P-001", is_undone),
            observed_hour,
            subject=subject,
            name=f"{subject}-{observed_hour}",
        )
        for subject in ("P-001", "P-002")
    ]


def test_a_merge_moves_the_records_to_the_survivor_and_its_reversal_brings_them_back():
    course = Course("P-001", "P-002")
    assert course.result("1 0.7 F 24", "P-002") == "A1 new: 3 from 24"
    merge_lines = [course.hear(one) for one in merge()]
    assert merge_lines == ["B1 new (participants merged): 3 from 24; A2 merged into B", ""]
    undo_lines = [course.hear(one) for one in merge(is_undone=True, observed_hour=310)]
    assert undo_lines == ["A3 returned (participants separated): 3 from 24; B2 retracted", ""]


def test_a_merge_joins_what_overlaps():
    course = Course("P-001", "P-002")
    course.result("1 0.7 F 24", "P-001")
    course.result("2 0.3 F 30", "P-002")
    first, second = (course.hear(one) for one in merge())
    joined_line = "A2 changed (participants merged): 4 from 24; B2 merged into A"
    assert (first, second) == (joined_line, "")
