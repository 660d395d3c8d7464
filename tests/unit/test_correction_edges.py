"""A correction of something beside a result changes what depends on it alone, and says why."""

from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
from msgspec import structs

from services.safety_rules.adapters.study_rules import load_rules
from services.safety_rules.domain.participant.linked_participants import LinkedParticipants
from services.safety_rules.domain.participant.received_message import ReceivedMessage
from services.safety_rules.domain.participant.record_history import RecordHistory
from services.vocabulary.clinical_fact import Action, Administration, Enrolment, Transplant
from services.vocabulary.identity_change import Merge, Move
from tests.helpers.fact_notes import fact, hours, lab, status
from tests.helpers.protocols import PROTOCOL
from tests.helpers.random_trials import RULES

DAY = 24
STUDY = Path(__file__).parents[2] / "studies" / "blina-hsct"
UNITS = {
    "alt": ("U/L", None, "40"),
    "neutrophils": ("10*9/L", "1.8", "7"),
    "potassium": ("mmol/L", "3.5", "5.0"),
    "lipase": ("U/L", None, "60"),
}
SHORT = {
    "alanine-aminotransferase-increased": "ALT",
    "neutrophil-count-decreased": "ANC",
    "hyperglycemia": "glucose",
    "hyperkalemia": "K",
    "hypokalemia": "low K",
    "lipase-increased": "lipase",
}


class Story:
    """A family that hears messages; says which records each one touched, how and why."""

    def __init__(self, *members, rules=RULES):
        self.members, self.number, self.messages = members, 0, []
        self.record_history = RecordHistory(LinkedParticipants(members, rules), rules)

    def hear(self, *facts):
        self.number += 1
        named_facts = tuple(
            structs.replace(f, id=f"{self.number}-{n}") for n, f in enumerate(facts)
        )
        self.messages.append(
            ReceivedMessage(hours(3000 + self.number), facts[0].subject, self.number, named_facts)
        )
        self.record_history.receive(self.messages[-1])
        return self.news()

    def continue_under(self, rules):
        """The same story, taken up by other rules."""
        later = Story(*self.members, rules=rules)
        latest = [one for m in self.members for one in self.record_history.list_latest_versions(m)]
        standings = [one for m in self.members for one in self.record_history.list_standings(m)]
        later.record_history.resume(self.messages, latest, standings)
        later.record_history.apply_new_rules(self.messages[-1].received_at)
        return later

    def news(self):
        episodes, standings = self.record_history.take_changes()
        self.changed_standings = {
            (one.standing.participant, one.standing.rule) for one in standings
        }
        self.rules_versions = {one.rules_version for one in episodes}
        return sorted(self.describe(one) for one in episodes)

    @staticmethod
    def describe(version):
        content = version.content
        slug = content.criterion.rpartition(".")[2]
        suffix = " into another" if version.merged_into else ""
        name = SHORT.get(slug, slug)
        return f"{content.participant} {name} {version.cause}: {content.worst}{suffix}"


def result(measure, value, observed_hour, letter="F", subject="P-001"):
    unit, lln, uln = UNITS[measure]
    return lab(
        measure, value, observed_hour, unit, lln=lln, uln=uln,
        subject=subject, series=f"{subject}-{measure}-{observed_hour}",
        status=status(letter), reported_hour=2000 if letter == "C" else None,
    )  # fmt: skip


def dose(observed_hour=0, subject="P-001", letter="F", reported_hour=None):
    body = Administration("blinatumomab", Action.START)
    return fact(
        body,
        observed_hour,
        subject=subject,
        series=f"{subject}-dose",
        status=status(letter),
        reported_hour=reported_hour,
    )


def transplant(day, letter="F", reported_hour=None):
    return fact(
        Transplant("haploidentical"), -day * DAY, series="graft", status=status(letter),
        reported_hour=reported_hour,
    )  # fmt: skip


@pytest.fixture
def story():
    """Somebody transplanted 70 days before the first dose, with four records after it."""
    course = Story("P-001")
    course.hear(fact(Enrolment("rhein"), -80 * DAY), transplant(70), dose())
    course.hear(
        result("alt", "30", -5), result("neutrophils", "3.0", -5), result("potassium", "4.0", -5)
    )
    lines = course.hear(
        result("alt", "130", 24), result("neutrophils", "0.7", 24), result("potassium", "6.5", 24)
    )
    assert lines == ["P-001 ALT new: 2", "P-001 ANC new: 3", "P-001 K new: 3"]
    return course


def test_a_corrected_baseline_touches_only_what_is_compared_with_it(story):
    # 80 is above the limit: then grade 2 begins above 3 x 80, so 130 is grade 1 (> 1.5 x baseline)
    lines = story.hear(result("alt", "80", -5, "C"))
    assert lines == ["P-001 ALT changed (baseline): 1", "P-001 ALT new: 1"]


def test_a_baseline_that_comes_late_says_so():
    story = Story("P-001")
    story.hear(dose())
    assert story.hear(result("alt", "130", 24)) == ["P-001 ALT new: 0-2"]
    assert story.hear(result("alt", "30", -5)) == ["P-001 ALT changed (baseline): 2"]


def test_a_corrected_baseline_of_no_consequence_makes_no_version(story):
    assert story.hear(result("alt", "31", -5, "C")) == []
    assert story.hear(result("lipase", "30", -5)) == []


def test_a_corrected_transplant_date_touches_days_and_windows_of_all_and_no_grade(story):
    latest_versions = {one.id: one for one in story.record_history.list_latest_versions("P-001")}
    lines = story.hear(transplant(98, "C", reported_hour=2000))
    assert lines == [
        "P-001 ALT changed (date of transplant): 2",
        "P-001 ANC changed (date of transplant): 3",
        "P-001 K changed (date of transplant): 3",
    ]
    assert ("P-001", "TRIAL.CRS") in story.changed_standings
    for version in story.record_history.list_latest_versions("P-001"):
        content = latest_versions[version.id].content
        expected = replace(
            content, transplant_day=content.transplant_day + 28, windows=version.content.windows
        )
        assert version.content == expected


def test_a_transplant_date_that_is_said_again_changes_nothing(story):
    assert story.hear(transplant(70, reported_hour=2000)) == []


def test_a_graft_that_is_known_late_may_have_caused_the_fever_after_it():
    course = Story("P-001")
    fever = lab("temperature", "38.5", 2 * DAY, "Cel")
    pressure = lab("systolic-bp", "120", 2 * DAY, "mm[Hg]")
    lines = course.hear(fact(Enrolment("rhein"), -DAY), fever, pressure)
    assert [line for line in lines if "crs" in line] == []
    assert "P-001 crs new (date of transplant): 1-4" in course.hear(transplant(0))


def test_a_first_dose_that_was_later_makes_records_of_before_of_what_was_after(story):
    lines = story.hear(dose(48, letter="C", reported_hour=2000))
    assert lines == [
        "P-001 ALT new (first dose): 2",
        "P-001 ALT retracted (first dose): 2",
        "P-001 ANC new (first dose): 3",
        "P-001 ANC retracted (first dose): 3",
        "P-001 K new (first dose): 3",
        "P-001 K retracted (first dose): 3",
    ]
    live = [one for one in story.record_history.list_latest_versions("P-001") if not one.retracted]
    assert all(one.content.before_exposure for one in live)


def test_a_steroid_that_is_known_late_is_in_the_standing_at_once():
    glucose = {"unit": "mg/dL", "lln": "70", "uln": "140"}
    facts = [
        fact(Enrolment("north"), -80 * DAY),
        transplant(70),
        dose(),
        lab("glucose", "100", -48, **glucose),
        lab("glucose", "600", 24, **glucose),
        fact(Administration("insulin", Action.DOSE), 25),
        fact(Administration("dexamethasone", Action.DOSE, scheduled=True), 10),
    ]
    ends = set()
    for turn in range(len(facts)):
        course = Story("P-001", rules=load_rules(STUDY).rules)
        for next_fact in (*facts[turn:], *facts[:turn]):
            course.hear(next_fact)
        course.record_history.pass_time(hours(4000))
        ends.add(tuple(course.record_history.list_standings("P-001")))
    assert len(ends) == 1


WAITS = {  # how long before the 72 hours are over time has passed; the event counts then
    "just before they are over": (timedelta(microseconds=1), False),
    "as they are over": (timedelta(0), True),
}


@pytest.mark.parametrize(("remaining_time", "counts"), WAITS.values(), ids=WAITS)
def test_a_laboratory_event_counts_from_the_instant_at_which_it_falls_due(remaining_time, counts):
    rules = load_rules(STUDY).rules
    history = RecordHistory(LinkedParticipants(("P-001",), rules), rules)
    facts = (
        *(fact(Enrolment("rhein"), -80 * DAY), transplant(70), dose()),
        *(result("potassium", "4.0", -5), result("potassium", "6.5", 24)),
    )
    history.receive(ReceivedMessage(hours(30), "P-001", 1, facts))
    assert history.due_instants["P-001"] == hours(24 + 72)
    history.pass_time(hours(24 + 72) - remaining_time)
    assert any(one.event is not None for one in history.list_standings("P-001")) is counts


def rules_of(version, **changes):
    return replace(RULES, protocol=replace(PROTOCOL, **changes), version=version)


def test_another_protocol_touches_only_the_records_that_it_reads_otherwise(story):
    story.hear(result("potassium", "6.6", 24 + 10 * DAY))
    later = story.continue_under(rules_of("rules-2", merge_gap=timedelta(days=7)))
    assert later.news() == ["P-001 K new (other rules): 3"]
    assert later.rules_versions == {"rules-2"}


def test_another_protocol_that_reads_everything_alike_makes_no_version(story):
    later = story.continue_under(rules_of("rules-2", title="Another title"))
    assert later.news() == []
    assert later.changed_standings == set()


def merge_facts(observed_hour, *, is_undone=False, pair=("P-002", "P-001")):
    return [fact(Merge(*pair, is_undone), observed_hour, subject=name) for name in sorted(pair)]


@pytest.fixture
def registered_twice():
    course = Story("P-001", "P-002")
    course.hear(dose(), result("alt", "30", -5), result("potassium", "4.0", -5))
    course.hear(result("potassium", "6.5", 24))
    course.hear(result("neutrophils", "0.7", 30, subject="P-002"))
    return course


def test_a_merge_moves_what_was_the_others_and_leaves_the_survivors_own(registered_twice):
    first, second = merge_facts(300)
    assert registered_twice.hear(first) == [
        "P-001 ANC new (participants merged): 3",
        "P-002 ANC retracted (participants merged): 3",
    ]
    assert registered_twice.hear(second) == []


def test_a_merge_that_is_taken_back_brings_back_what_was_and_only_that(registered_twice):
    for merge in merge_facts(300):
        registered_twice.hear(merge)
    first, second = merge_facts(310, is_undone=True)
    assert registered_twice.hear(first) == [
        "P-001 ANC retracted (participants separated): 3",
        "P-002 ANC returned (participants separated): 3",
    ]
    assert registered_twice.hear(second) == []


def test_a_result_of_the_merged_identifier_is_a_result_as_any_other(registered_twice):
    for merge in merge_facts(300):
        registered_twice.hear(merge)
    lines = registered_twice.hear(result("potassium", "7.2", 48, subject="P-002"))
    assert lines == ["P-001 K changed: 4"]


def of_visit(result, visit):
    return structs.replace(result, visit=visit, site="north")


def move_facts(observed_hour, *, is_undone=False, visit="V"):
    body = Move("P-001", "P-002", visit, undone=is_undone)
    return [fact(body, observed_hour, subject=name) for name in ("P-001", "P-002")]


@pytest.fixture
def mixed_up():
    """P-001 with a result of visit V that is P-002's, who has had a first dose too."""
    course = Story("P-001", "P-002")
    for participant in ("P-001", "P-002"):
        course.hear(dose(subject=participant), result("potassium", "4.0", -5, subject=participant))
    course.hear(of_visit(result("potassium", "6.5", 24), "V"), result("neutrophils", "0.7", 30))
    return course


@pytest.mark.parametrize(("visit", "cause"), [("V", "visit moved"), ("", "identifier moved")])
def test_a_move_takes_the_records_along_and_says_why(mixed_up, visit, cause):
    first, second = move_facts(300, visit=visit)
    assert mixed_up.hear(first) == [
        f"P-001 K retracted ({cause}): 3",
        f"P-002 K new ({cause}): 3",
    ]
    assert mixed_up.hear(second) == []


def test_a_move_that_is_taken_back_brings_back_the_same_record(mixed_up):
    ids = {one.id for one in mixed_up.record_history.list_latest_versions("P-001")}
    for move in move_facts(300):
        mixed_up.hear(move)
    first, second = move_facts(310, is_undone=True)
    assert mixed_up.hear(first) == [
        "P-001 K returned (visit moved back): 3",
        "P-002 K retracted (visit moved back): 3",
    ]
    assert mixed_up.hear(second) == []
    assert {one.id for one in mixed_up.record_history.list_latest_versions("P-001")} == ids


def test_what_is_sent_about_a_visit_after_it_moved_is_the_others_from_the_first(mixed_up):
    for move in move_facts(300):
        mixed_up.hear(move)
    lines = mixed_up.hear(of_visit(result("potassium", "7.2", 48), "V"))
    assert lines == ["P-002 K changed: 4"]


def test_the_record_of_a_moved_visit_is_the_same_when_the_move_comes_first(mixed_up):
    for move in move_facts(300):
        mixed_up.hear(move)
    early = Story("P-001", "P-002")
    for move in (
        *move_facts(300),
        *reversed([f for message in mixed_up.messages for f in message.facts]),
    ):
        early.hear(move)
    for participant in ("P-001", "P-002"):
        visit_end, began = (
            [(e.content.criterion, e.content.onset_at, e.content.worst) for e in latest]
            for latest in (
                [
                    e
                    for e in told.record_history.list_latest_versions(participant)
                    if not e.retracted
                ]
                for told in (mixed_up, early)
            )
        )
        assert began == visit_end != []


def test_a_result_taken_back_from_the_wrong_patient_stands_with_the_right_one(mixed_up):
    for move in move_facts(300):
        mixed_up.hear(move)
    wrong = of_visit(result("potassium", "6.5", 24), "V")
    taken_back = structs.replace(wrong, status=status("W"), reported_at=hours(400))
    right = structs.replace(wrong, subject="P-002", reported_at=hours(399))
    assert mixed_up.hear(right) == []  # it stands there already
    assert mixed_up.hear(taken_back) == ["P-002 K changed: 3"]  # that one is its evidence now
    assert mixed_up.hear(structs.replace(right, status=status("D"), reported_at=hours(401))) == [
        "P-002 K retracted: 3"
    ]
