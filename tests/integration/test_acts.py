"""Acts of persons: the effect and the row of the trail are one; what has changed is not signed."""

from dataclasses import replace

import pytest

from services.acts import adjudication as adjudication_act
from services.acts.acknowledgement import acknowledge
from services.acts.adjudication import RecordVerdict, adjudicate
from services.acts.assignment import Assignment, assign
from services.acts.determination import RuleAnswer, determine
from services.acts.refusal import ActRefusedError, ChangedSinceSeenError
from services.acts.seen_content import hash_seen
from services.runtime.clock import now_utc
from services.simulator.trial import simulate_trial
from services.store import acts, alert_states, alerts, decisions, journal, participants, records
from services.store.acts import ActFilter
from services.store.alert_states import AlertStateRow
from services.vocabulary.act import ActKind, Meaning
from services.vocabulary.judgement import Answer, Verdict
from services.vocabulary.person import Actor, Role, SignedBy
from tests.helpers.installation import STUDY, Installation
from tests.helpers.people import make_person

pytestmark = pytest.mark.slow

KIM = Actor("kim", "Kim Lee, MD", Role.SAFETY_OFFICER, SignedBy.PASSWORD)
CHAIR = Actor("ada", "Ada Roth", Role.DSMB_CHAIR, SignedBy.PASSWORD)
STUDY_ID = "BLINA-HSCT"
RULE = "BLINA-HSCT.S1"


@pytest.fixture
def installation(tmp_path, monkeypatch):
    monkeypatch.setenv("AEGIS_DATA", str(tmp_path))
    monkeypatch.setenv("AEGIS_STUDY", str(STUDY))
    study_installation = Installation(tmp_path, clock="wall")
    study_installation.fill(simulate_trial(2, seed=5, days=6))
    yield study_installation
    study_installation.db.close()


@pytest.fixture
def record(installation):
    with installation.db.read() as conn:
        return next(one for one in records.load_latest_episodes(conn) if not one.retracted)


def load_all(installation, **wanted):
    with installation.db.read() as conn:
        return [
            act
            for act in acts.load_acts(conn, ActFilter(**wanted))
            if act.kind is not ActKind.ACTIVATE_STUDY
        ]


def load_adjudications(installation):
    with installation.db.read() as conn:
        return journal.load_facts_of_kind(conn, "adjudication")


def confirm(seen_record, **fields):
    return replace(RecordVerdict(seen_record.id, Verdict.CONFIRM, "seen in the chart"), **fields)


@pytest.mark.part11("11.50(b)", "11.70")
def test_an_adjudication_is_a_fact_and_an_act_of_its_person(installation, record):
    outcome = adjudicate(installation.context, KIM, confirm(record, seen_hash=hash_seen(record)))
    (act,) = load_all(installation, participants=[record.content.participant])
    (known,) = load_adjudications(installation)
    assert act == outcome.act
    assert (act.actor, act.kind, act.target, act.meaning) == (
        KIM,
        ActKind.ADJUDICATE,
        record.id,
        Meaning.REVIEW,
    )
    assert (act.old_value.split(",")[0], act.new_value, act.seen_hash) == (
        "suspected",
        "confirm",
        hash_seen(record),
    )
    assert (known.fact.body.by, known.fact.body.signed_at) == ("Kim Lee, MD", act.acted_at)


@pytest.mark.parametrize(
    ("second_actor", "is_repeated"),
    [(KIM, True), (replace(KIM, id="kim2"), False), (replace(KIM, name="Kim Roe"), True)],
    ids=["the same person", "another of the same name", "the same with a new name"],
)
def test_only_who_said_it_before_says_it_twice(installation, record, second_actor, is_repeated):
    verdict = confirm(record)
    assert adjudicate(installation.context, KIM, verdict).act is not None
    installation.settle()
    assert (adjudicate(installation.context, second_actor, verdict).act is None) is is_repeated
    assert len(load_adjudications(installation)) == 2 - is_repeated


@pytest.mark.part11("11.70")
def test_an_act_whose_row_cannot_be_written_leaves_no_fact(installation, record, monkeypatch):
    def fail(*_args, **_words):
        raise OSError("the disk is full")

    monkeypatch.setattr(adjudication_act, "append_act", fail)
    with pytest.raises(OSError, match="disk"):
        adjudicate(installation.context, KIM, confirm(record))
    assert load_adjudications(installation) == []
    assert load_all(installation) == []


@pytest.mark.parametrize(
    ("fields", "problem"),
    [
        ({"reason": "  "}, "say why"),
        ({"reason": "-."}, "say why"),
        ({"reason": "\u200b"}, "say why"),
        ({"reason": "\u3164"}, "say why"),
        ({"verdict": Verdict.REGRADE}, "regrade needs it"),
        ({"grade": 2}, "a grade goes with regrade"),
        ({"verdict": Verdict.ATTRIBUTE}, "attribute needs it"),
        ({"record": "nothing"}, "there is no record nothing"),
    ],
)
def test_a_verdict_that_is_not_complete_stores_nothing(installation, record, fields, problem):
    with pytest.raises(ActRefusedError, match=problem):
        adjudicate(installation.context, KIM, confirm(record, **fields))
    assert load_adjudications(installation) == []


@pytest.mark.part11("11.10(f)", "11.70")
def test_a_record_that_has_changed_since_it_was_seen_is_not_signed(installation, record):
    seen = hash_seen(record)
    adjudicate(installation.context, KIM, confirm(record, seen_hash=seen))
    installation.settle()
    with pytest.raises(ChangedSinceSeenError, match="look at it again"):
        adjudicate(installation.context, CHAIR, confirm(record, seen_hash=seen))
    assert len(load_adjudications(installation)) == 1


@pytest.mark.part11("11.70")
def test_another_verdict_of_somebody_else_that_is_not_graded_yet_is_looked_at_first(
    installation, record
):
    seen = hash_seen(record)
    adjudicate(installation.context, KIM, confirm(record, seen_hash=seen))
    second = confirm(record, verdict=Verdict.REJECT, seen_hash=seen)
    with pytest.raises(ChangedSinceSeenError, match="graded yet"):
        adjudicate(installation.context, CHAIR, second)
    assert len(load_adjudications(installation)) == 1
    own_correction = confirm(record, verdict=Verdict.REJECT, seen_hash=seen)
    assert adjudicate(installation.context, KIM, own_correction).act is not None
    assert adjudicate(installation.context, CHAIR, own_correction).act is not None  # they agree


@pytest.mark.part11("11.70")
def test_an_answer_of_somebody_else_that_is_not_told_yet_is_looked_at_first(installation):
    pause = RuleAnswer(RULE, Answer.PAUSE, "discussed", find_hash(installation))
    determine(installation.context, CHAIR, pause)
    go_on = replace(pause, answer=Answer.CONTINUE)
    with pytest.raises(ChangedSinceSeenError, match="Ada Roth has answered"):
        determine(installation.context, KIM, go_on)
    assert len(load_all(installation, kinds=[ActKind.DETERMINE])) == 1
    installation.settle()
    with pytest.raises(ChangedSinceSeenError, match="has changed since"):
        determine(installation.context, KIM, go_on)
    determine(installation.context, KIM, replace(go_on, seen_hash=find_hash(installation)))


def find_hash(installation):
    with installation.db.read() as conn:
        rows = decisions.load_latest_decisions(conn, STUDY_ID)
    return next(hash_seen(row.decision) for row in rows if row.decision.rule == RULE)


def test_a_determination_acknowledges_the_alerts_of_its_rule_as_acts_of_the_same_person(
    installation,
):
    outcome = determine(installation.context, CHAIR, RuleAnswer(RULE, Answer.PAUSE, "discussed"))
    with installation.db.read() as conn:
        open_alerts = [one.id for one in alerts.load_alerts(conn) if one.about == RULE]
        acknowledged_ids = {one.alert for one in alerts.load_acknowledgements(conn)}
    assert set(open_alerts) == acknowledged_ids
    assert [one.actor.id for one in load_all(installation)] == ["ada"] * (1 + len(open_alerts))
    assert load_all(installation, kinds=[ActKind.DETERMINE]) == [outcome.act]


def test_a_decision_that_has_changed_since_it_was_seen_is_not_answered(installation):
    with installation.db.read() as conn:
        (row, *_) = decisions.load_latest_decisions(conn, "BLINA-HSCT")
    answer = RuleAnswer(row.decision.rule, Answer.CONTINUE, "discussed", seen_hash="0" * 64)
    with pytest.raises(ChangedSinceSeenError):
        determine(installation.context, CHAIR, answer)
    determine(installation.context, CHAIR, replace(answer, seen_hash=hash_seen(row.decision)[:12]))


def test_of_two_acknowledgements_by_one_person_the_first_is_an_act(installation):
    with installation.db.read() as conn:
        alert = alerts.load_alerts(conn)[0]
    for comment in ("", "seen again"):
        assert acknowledge(installation.db, KIM, alert.id, comment, version=alert.version) == alert
    (act,) = load_all(installation, targets=[alert.id])
    assert (act.kind, act.reason, act.participant) == (
        ActKind.ACKNOWLEDGE,
        "seen",
        alert.participant,
    )


@pytest.mark.parametrize(
    ("role", "at_own_site", "may"),
    [
        (Role.SAFETY_OFFICER, None, True),
        (Role.INVESTIGATOR, True, False),
        (Role.SITE_STAFF, True, False),
        (Role.SITE_STAFF, False, False),
        (Role.DSMB_MEMBER, None, False),
        (Role.STATISTICIAN, None, False),
        (Role.OPERATOR, None, False),
    ],
)
def test_an_alert_is_acknowledged_by_its_roles_alone(installation, role, at_own_site, may):
    alert, site = find_participant_alert(installation)
    person_site = {None: "", True: site, False: "elsewhere"}[at_own_site]
    person = make_person(installation.db, "someone", role, site=person_site)
    actor = Actor(person.id, person.name, role)
    if may:
        assert acknowledge(installation.db, actor, alert.id, "") == alert
        return
    with pytest.raises(ActRefusedError, match="safety officer acknowledge it, or whoever was told"):
        acknowledge(installation.db, actor, alert.id, "")
    assert load_all(installation, targets=[alert.id]) == []


@pytest.mark.parametrize(
    ("role", "at_own_site", "may"),
    [
        (Role.SITE_STAFF, True, True),
        (Role.SITE_STAFF, False, False),
        (Role.STATISTICIAN, None, True),
    ],
)
def test_who_was_told_acknowledges_but_never_for_another_site(installation, role, at_own_site, may):
    alert, site = find_participant_alert(installation)
    person_site = {None: "", True: site, False: "elsewhere"}[at_own_site]
    person = make_person(installation.db, "someone", role, site=person_site)
    waits_for = AlertStateRow(alert.id, "open", (person.id,), now_utc())
    with installation.db.write() as conn:
        alert_states.replace_alert_states(conn, [waits_for])
    actor = Actor(person.id, person.name, role)
    if may:
        assert acknowledge(installation.db, actor, alert.id, "") == alert
    else:
        with pytest.raises(ActRefusedError, match=f"those of one site for {site}"):
            acknowledge(installation.db, actor, alert.id, "")


@pytest.mark.parametrize(
    ("role", "at_own_site", "problem"),
    [
        (Role.SAFETY_OFFICER, None, ""),
        (Role.INVESTIGATOR, None, ""),
        (Role.INVESTIGATOR, True, ""),
        (Role.INVESTIGATOR, False, "sees no records"),
        (Role.SITE_STAFF, True, "sees no records"),
        (Role.AUDITOR, None, "sees no records"),
        (Role.DSMB_MEMBER, None, "sees no records"),
        (Role.OPERATOR, None, "sees no records"),
    ],
)
def test_a_record_is_given_to_who_sees_it(installation, record, role, at_own_site, problem):
    participant = record.content.participant
    with installation.db.read() as conn:
        site = participants.load_participant(conn, participant).site
    person_site = {None: "", True: site, False: "elsewhere"}[at_own_site]
    owner_site = person_site or ("elsewhere" if role is Role.SITE_STAFF else "")
    owner = make_person(installation.db, "owner", role, site=owner_site)
    assignment = Assignment(record.id, participant, owner.id, "theirs this week")
    if problem:
        with pytest.raises(ActRefusedError, match=problem):
            assign(installation.db, KIM, assignment, now_utc())
        assert load_all(installation, targets=[record.id]) == []
    else:
        assert assign(installation.db, KIM, assignment, now_utc()).new_value == owner.id


def find_participant_alert(installation):
    """Return an alert for the safety officer, of which nobody was told yet, and its site."""
    with installation.db.read() as conn:
        alert = next(one for one in alerts.load_alerts(conn) if one.roles == ("safety_officer",))
        return alert, participants.load_participant(conn, alert.participant).site


def test_an_alert_at_another_version_is_not_acknowledged(installation):
    with installation.db.read() as conn:
        alert = alerts.load_alerts(conn)[0]
    with pytest.raises(ChangedSinceSeenError, match="nothing is acknowledged"):
        acknowledge(installation.db, KIM, alert.id, "", version=alert.version + 1)
    with pytest.raises(ActRefusedError, match="no alert"):
        acknowledge(installation.db, KIM, "nothing", "")
