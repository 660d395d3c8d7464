"""``aegis alerts route --what-if``: who would be told of the alerts that facts raise."""

import json

import pytest

from services.runtime.canonical_json import write_canonical
from services.vocabulary.clinical_fact import Action, Administration, Death, Enrolment, Transplant
from tests.helpers.fact_notes import fact, lab
from tests.helpers.timeline import FOLDER

pytestmark = pytest.mark.slow
BOARD = ["chair", "member"]


@pytest.fixture
def facts_file(tmp_path):
    facts = [lab("potassium", "6.5", 1, "mmol/L", subject="P-001")]
    for name in ("P-001", "P-002"):
        facts += [
            fact(Enrolment("north"), -80 * 24, subject=name),
            fact(Transplant("haploidentical"), -78 * 24, subject=name),
            fact(Administration("blinatumomab", Action.START), -1, subject=name),
            fact(Death(), 3, subject=name),
        ]
    contents = [json.loads(write_canonical(one)) for one in facts]
    kept_names = contents[0].keys() - {"id", "digest", "series"}
    lines = [json.dumps({name: one[name] for name in kept_names & one.keys()}) for one in contents]
    path = tmp_path / "facts.ndjson"
    path.write_text("\n".join(lines) + "\n")
    return path


def test_facts_say_who_would_be_told_of_what_and_nothing_is_stored(
    facts_file, tmp_path, monkeypatch, aegis
):
    data = tmp_path / "data"
    monkeypatch.setenv("AEGIS_DATA", str(data))
    code, output = aegis(
        "alerts", "route", "--what-if", str(facts_file), "--study", str(FOLDER), "--json"
    )
    routes = {(one["kind"], one["about"]): one for one in map(json.loads, output.out.splitlines())}
    names = {key: [who["name"] for who in one["recipients"]] for key, one in routes.items()}
    assert code == 0
    assert names["boundary_reached", "BLINA-HSCT.S4"] == [*BOARD, "safety"]
    assert names["death", "P-001"] == names["death", "P-002"] == ["safety", *BOARD]
    (episode,) = (one for (kind, _), one in routes.items() if kind == "episode")
    assert [who["name"] for who in episode["recipients"]] == ["safety"]
    assert episode["acknowledge_each"] == []
    assert routes["boundary_reached", "BLINA-HSCT.S4"]["acknowledge_each"] == ["dsmb"]
    assert episode["escalate_to"] == ["principal_investigator", "dsmb"]
    assert not data.exists()


def test_a_table_is_printed_for_people_and_a_wrong_line_is_said(facts_file, aegis):
    words = ["alerts", "route", "--study", str(FOLDER), "--what-if"]
    code, output = aegis(*words, str(facts_file))
    assert code == 0
    assert "chair (dsmb, email)" in output.out
    facts_file.write_text('{"subject": "P-001"}\n')
    code, output = aegis(*words, str(facts_file))
    assert code == 2
    assert "line 1" in output.err
