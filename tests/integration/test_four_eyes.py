"""Two readers of a record: the rules see what both say, and where they differ the chair decides."""

import json
from dataclasses import replace

import pytest

from services.acts.adjudication import RecordVerdict, adjudicate
from services.acts.refusal import ActRefusedError
from services.cli.main import main
from services.runtime.file_models import read_model
from services.runtime.strict_yaml import read_yaml
from services.safety_rules.adapters.protocol_rows import ProtocolFile
from services.safety_rules.adapters.rules_version import protocol_meaning
from services.simulator.trial import simulate_trial
from services.store import acts, journal, records
from services.store.acts import ActFilter
from services.vocabulary.act import ActKind
from services.vocabulary.judgement import Verdict
from services.vocabulary.person import Actor, Role, SignedBy
from tests.helpers.installation import STUDY, Installation
from tests.helpers.people import sign_in

pytestmark = pytest.mark.slow

KIM = Actor("kim", "Kim Lee", Role.SAFETY_OFFICER, SignedBy.PASSWORD)
ANN = Actor("ann", "Ann Roth", Role.INVESTIGATOR, SignedBy.PASSWORD)
ADA = Actor("ada", "Ada Fox", Role.DSMB_CHAIR, SignedBy.PASSWORD)
TEXT = (STUDY / "protocol.yaml").read_text()


@pytest.fixture
def installation(tmp_path, monkeypatch):
    monkeypatch.setenv("AEGIS_DATA", str(tmp_path))
    study_installation = Installation(tmp_path, clock="wall")
    study_installation.fill(simulate_trial(2, seed=5, days=6))
    yield study_installation
    study_installation.db.close()


@pytest.fixture
def context(installation):
    study = installation.context.study
    protocol = replace(study.rules.protocol, two_readers=True)
    rules = replace(study.rules, protocol=protocol)
    return replace(installation.context, study=replace(study, rules=rules))


@pytest.fixture
def judge(installation, context):
    def give_verdict(actor, verdict, reason="seen in the chart", **fields):
        with installation.db.read() as conn:
            record = next(one for one in records.load_latest_episodes(conn) if not one.retracted)
        return adjudicate(context, actor, RecordVerdict(record.id, verdict, reason, **fields))

    return give_verdict


def load_decisions(installation):
    with installation.db.read() as conn:
        return [one.fact.body for one in journal.load_facts_of_kind(conn, "adjudication")]


def list_kinds(installation):
    with installation.db.read() as conn:
        found_acts = acts.load_acts(conn)
    return [one.kind for one in found_acts if one.kind is not ActKind.ACTIVATE_STUDY]


def test_a_first_reading_is_no_decision(installation, judge):
    outcome = judge(KIM, Verdict.CONFIRM)
    assert outcome.waits_for == "a second reader"
    installation.settle()
    assert load_decisions(installation) == []
    with installation.db.read() as conn:
        states = {one.content.state for one in records.load_latest_episodes(conn)}
    assert states == {"suspected"}
    assert installation.find_mismatches() == []


def test_two_who_say_the_same_decide(installation, judge):
    judge(KIM, Verdict.REGRADE, grade=2)
    assert judge(ANN, Verdict.REGRADE, "by the printout", grade=2).waits_for == ""
    (decision,) = load_decisions(installation)
    assert (decision.by, decision.grade) == ("Kim Lee and Ann Roth", 2)
    assert list_kinds(installation) == [ActKind.READ_RECORD, ActKind.ADJUDICATE]


@pytest.mark.parametrize(
    "second", [{"verdict": Verdict.REJECT}, {"verdict": Verdict.REGRADE, "grade": 3}]
)
@pytest.mark.part11("11.10(f)")
def test_where_two_differ_the_chair_decides(installation, judge, second):
    judge(KIM, Verdict.REGRADE, grade=2)
    assert judge(ANN, **second).waits_for == "the chair"
    with pytest.raises(ActRefusedError, match=r"Kim Lee: regrade 2; Ann Roth: .*the chair decides"):
        judge(replace(KIM, id="lee"), Verdict.CONFIRM)
    assert load_decisions(installation) == []
    judge(ADA, Verdict.CONFIRM)
    (decision,) = load_decisions(installation)
    assert (decision.by, decision.verdict) == ("Ada Fox", Verdict.CONFIRM)
    assert list_kinds(installation)[-1] is ActKind.SETTLE


def test_nobody_is_both_readers(installation, judge):
    judge(KIM, Verdict.CONFIRM)
    assert judge(KIM, Verdict.CONFIRM, "seen again").waits_for == "a second reader"
    judge(KIM, Verdict.REJECT, "another tube")  # who changes their mind has one reading
    assert judge(ANN, Verdict.REJECT).waits_for == ""
    assert len(load_decisions(installation)) == 1


def test_the_chair_settles_nothing_where_nobody_differs(judge):
    with pytest.raises(ActRefusedError, match="nothing is to settle"):
        judge(ADA, Verdict.CONFIRM)


@pytest.mark.part11("11.200(a)")
def test_a_reading_without_a_signature_is_refused(installation, judge):
    with pytest.raises(ActRefusedError, match="give the password again"):
        judge(replace(KIM, signed_by=SignedBy.NOTHING), Verdict.CONFIRM)
    assert list_kinds(installation) == []


def test_a_record_that_has_changed_is_read_again_by_both(installation, context, judge):
    judge(KIM, Verdict.CONFIRM)
    decided_context = replace(context, study=installation.context.study)
    with installation.db.read() as conn:
        record = next(one for one in records.load_latest_episodes(conn) if not one.retracted)
    adjudicate(
        decided_context, ANN, RecordVerdict(record.id, Verdict.ATTRIBUTE, "graft", cause="gvhd")
    )
    installation.settle()
    assert judge(ANN, Verdict.CONFIRM).waits_for == "a second reader"


def test_the_protocol_asks_for_two_readers_and_its_rules_stay_the_same():
    document, strict_document = (
        read_yaml(TEXT, ""),
        read_yaml(f"{TEXT}adjudication: {{two_readers: true}}\n", ""),
    )
    assert not read_model(document, ProtocolFile).value({}, "", ()).two_readers
    assert read_model(strict_document, ProtocolFile).value({}, "", ()).two_readers
    assert protocol_meaning(document) == protocol_meaning(strict_document)


@pytest.mark.part11("11.50(a)")
def test_signatures_are_shown_with_the_record(installation, tmp_path, capsys):
    with installation.db.read() as conn:
        record = next(one for one in records.load_latest_episodes(conn) if not one.retracted)
    password = sign_in(tmp_path, "kim", Role.SAFETY_OFFICER)
    words = ["--data", str(tmp_path), "--study", str(STUDY)]
    assert main(["explain", record.id, "--json", *words]) == 0
    seen_hash = json.loads(capsys.readouterr().out)["hash"]
    signature = ["adjudicate", record.id, "confirm", "--reason", "seen in the chart"]
    signature += ["--seen", seen_hash[:8]]
    assert main([*signature, *password, *words]) == 0
    for command in (["explain", record.id], ["records"]):
        capsys.readouterr()
        assert main([*command, *words]) == 0
        output = " ".join(capsys.readouterr().out.split())
        assert "Signatures" in output
        assert "decision confirm: kim, safety officer, 20" in output
        assert "reviewed, signed with the password" in output
    with installation.db.read() as conn:
        (act,) = acts.load_acts(conn, ActFilter(targets=[record.id]))
    assert (act.is_signed, act.seen_hash) == (True, seen_hash)
