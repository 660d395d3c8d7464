"""Commands that change anything leave one act of their person, and none where nothing changes."""

import pytest

from services.store.acts import ActFilter, load_acts
from services.vocabulary.act import ActKind
from services.vocabulary.person import Role
from tests.helpers.installation import STUDY, Installation
from tests.helpers.people import sign_in

pytestmark = pytest.mark.slow

PEOPLE = (
    "participant,site,authority,identifier_type,identifier,transplant_at,enrolled_at\n"
    "P-001,west,WMRN,MR,60413,2026-01-05T10:00,2025-12-20T09:00\n"
)
OFFICER, OPERATOR = Role.SAFETY_OFFICER, Role.OPERATOR


@pytest.fixture
def installation(tmp_path, monkeypatch):
    monkeypatch.setenv("AEGIS_DATA", str(tmp_path))
    monkeypatch.setenv("AEGIS_STUDY", str(STUDY))
    study_installation = Installation(tmp_path, clock="wall")
    (tmp_path / "people.csv").write_text(PEOPLE)
    yield study_installation
    study_installation.db.close()


def list_acts(installation):
    with installation.db.read() as conn:
        return [
            (act.actor.id, act.actor.role, act.kind, act.target, act.new_value)
            for act in load_acts(conn, ActFilter())
            if act.kind is not ActKind.ACTIVATE_STUDY and act.kind is not ActKind.ADD_PERSON
        ]


def test_an_import_and_a_fact_are_acts_of_who_entered_them(installation, tmp_path, aegis):
    sign_in(tmp_path, "kim", OFFICER, db=installation.db)
    assert aegis("participants", "import", str(tmp_path / "people.csv"))[0] == 0
    import_act = (
        "kim",
        OFFICER,
        ActKind.IMPORT_PARTICIPANTS,
        "BLINA-HSCT",
        "a file of participants",
    )
    assert list_acts(installation) == [import_act]
    relapse = "facts", "add", "relapse", "--participant", "P-001", "--at", "2026-03-01T08:00Z"
    assert aegis(*relapse)[0] == 0
    fact_act = ("kim", OFFICER, ActKind.ENTER_FACT, "P-001", "relapse, 2026-03-01T08:00Z")
    assert list_acts(installation) == [import_act, fact_act]
    assert aegis(*relapse[:-1], "2026-03-02T08:00Z", "--reason", "called by the site")[0] == 0
    with installation.db.read() as conn:
        reasons = [act.reason for act in load_acts(conn) if act.kind is ActKind.ENTER_FACT]
    assert sorted(reasons) == ["called by the site", "known to a person, and in no feed"]
    later_act = (*fact_act[:-1], "relapse, 2026-03-02T08:00Z")
    assert list_acts(installation) == [import_act, fact_act, later_act]
    unknown = "facts", "add", "relapse", "--participant", "P-009", "--at", "2026-03-01T08:00Z"
    assert aegis(*unknown)[0] == 2
    assert list_acts(installation) == [import_act, fact_act, later_act]


def test_a_key_that_is_made_or_ended_is_an_act_without_its_secret(installation, tmp_path, aegis):
    sign_in(tmp_path, "olu", OPERATOR, db=installation.db)
    code, output = aegis("sites", "key", "west", "--name", "first")
    secret = output.out.strip()
    assert code == 0
    assert aegis("sites", "revoke", "west", "--name", "first")[0] == 0
    assert aegis("sites", "revoke", "west", "--name", "none")[0] == 2
    assert aegis("keys", "rotate")[0] == 0
    acts = list_acts(installation)
    assert [(who, kind, target) for who, _, kind, target, _ in acts[:2]] == [
        ("olu", ActKind.ADD_KEY, "west"),
        ("olu", ActKind.REVOKE_KEY, "west"),
    ]
    assert [kind for _, _, kind, _, _ in acts[2:]] == [ActKind.ADD_KEY]
    assert secret not in str(acts)


def test_what_releases_and_refolds_nobody_is_no_act(installation, tmp_path, aegis):
    sign_in(tmp_path, "olu", OPERATOR, db=installation.db)
    assert aegis("retry")[0] == 0
    assert aegis("refold", "--reason", "amended")[0] == 0
    assert list_acts(installation) == []
