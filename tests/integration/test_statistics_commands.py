"""``aegis endpoints``, ``aegis rules sites`` and ``aegis simulate rule``, as they are typed."""

import json
from pathlib import Path

import pytest

from services.cli.main import main

pytestmark = pytest.mark.slow

STUDY = Path(__file__).parents[2] / "studies" / "blina-hsct"
PEOPLE = """\
participant,site,authority,identifier,transplant_at,enrolled_at
P-1,north,NMRN,1,2026-01-01T12:00:00-05:00,2026-01-20T12:00:00-05:00
P-2,west,WMRN,2,2026-01-01T12:00:00-08:00,2026-01-20T12:00:00-08:00
"""


def enter_fact(participant, day, **body):
    return {"subject": participant, "observed_at": f"2026-{day}T20:00:00Z", "body": body}


FACTS = [
    fact
    for who in ("P-1", "P-2")
    for fact in (
        enter_fact(who, "03-12", kind="administration", drug="blinatumomab", action="start"),
        enter_fact(who, "04-20", kind="chronic-gvhd", severity="none"),
    )
] + [enter_fact("P-2", "04-01", kind="death", cause="infection")]


@pytest.fixture(scope="module")
def data(tmp_path_factory):
    """A folder with two participants, first treated on day 70; one died on day 90."""
    folder = tmp_path_factory.mktemp("data")
    (folder / "people.csv").write_text(PEOPLE)
    (folder / "facts.ndjson").write_text("\n".join(map(json.dumps, FACTS)))
    where = ["--data", str(folder / "var"), "--study", str(STUDY)]
    assert main(["participants", "import", str(folder / "people.csv"), *where]) == 0
    assert main(["ingest", str(folder / "facts.ndjson"), *where]) == 0
    return where


def test_endpoints_as_a_table(data, capsys):
    assert main(["endpoints", *data]) == 0
    output = capsys.readouterr().out
    assert "DRAFT, signed by nobody" in output
    assert "2 treated of 2 enrolled" in output
    assert "! Non-relapse mortality, clock from transplant: event on day 90 with only 2" in output
    assert "! Non-relapse mortality, clock from the first infusion: event on day 20" in output
    assert "! Acute GVHD, grade II to IV: 2 of 2 never assessed for it after entry" in output
    assert "Any non-hematologic adverse event  -  -  -  -  -  0/2 0.0% [0.0%, 84.2%]" in output
    assert output.rstrip().endswith("Trial safety oversight, not a bedside alarm.")


def test_one_endpoint_as_json(data, capsys):
    assert main(["endpoints", "--json", "--endpoint", "os", "--clock", "transplant", *data]) == 0
    payload = json.loads(capsys.readouterr().out)
    (curve,) = payload["curves"]
    assert [(point["day"], point["estimate"]["value"]) for point in curve["points"]] == [(90, 0.5)]
    assert curve["landmarks"][0]["estimate"]["value"] == 0.5
    assert curve["landmarks"][2] == {"at_risk": 0, "day": 730, "estimate": None, "events": 1}


def test_every_endpoint_is_drawn_once(data, tmp_path, capsys):
    assert main(["endpoints", "--plot", str(tmp_path / "curve.svg"), *data]) == 0
    points = sorted(path.name for path in tmp_path.iterdir())
    assert len(points) == 8
    assert "curve-nrm.svg" in points
    assert f"picture: {tmp_path / 'curve-nrm.svg'}" in capsys.readouterr().out


def test_before_anything_was_known(data, capsys):
    for words in (["endpoints"], ["rules", "sites"]):
        assert main([*words, "--as-of", "2020-01-01T00:00Z", *data]) == 0
    output = capsys.readouterr().out
    assert "Nothing was known of anybody." in output
    assert "Nothing to compare" in output


def test_sites_are_for_the_safety_officer(data, capsys):
    assert main(["rules", "sites", *data]) == 0
    output = capsys.readouterr().out
    assert output.startswith("FOR THE SAFETY OFFICER: names sites. Not for the DSMB.")
    assert "BLINA-HSCT.S4" in output
    assert "could not stand out" in output
    assert main(["rules", "sites", "--json", *data]) == 0
    rows = json.loads(capsys.readouterr().out)["rows"]
    assert {(row["site"], row["says"]) for row in rows} == {
        ("north", "could not stand out"),
        ("west", "could not stand out"),
    }


def test_the_status_of_the_rules_is_still_there(data, capsys):
    assert main(["rules", "status", *data]) == 0
    assert "BLINA-HSCT.S4" in capsys.readouterr().out


SIMULATE = ["simulate", "rule", str(STUDY), "BLINA-HSCT.S1", "--window-days", "10-40"]


def test_a_rule_is_rehearsed_as_a_table_and_as_json(capsys):
    command = [*SIMULATE, "--trials", "200", "--rates", ".05,.2", "--onset", "exponential:5"]
    assert main(command) == 0
    output = capsys.readouterr().out
    assert "200 trials, seed 7; accrual over 365 days; window 10 to 40 days" in output
    assert "event rate 0.2 (exact, with every window complete: 0.8817)" in output
    assert "follow-up weighted by the onset curve *" in output
    assert "DRAFT, signed by nobody" in output
    assert main([*command, "--json"]) == 0
    payload = json.loads(capsys.readouterr().out)
    assert payload["protocol"] == "protocol v1 DRAFT, signed by nobody"
    assert payload["rehearsal"]["rule"] == "BLINA-HSCT.S1"
    assert payload["rehearsal"]["course"]["window_days"] == [10, 40]
    assert len(payload["rehearsal"]["rows"]) == 10


WRONG = [
    (["endpoints", "--engraftment", "--endpoint", "os"], "--engraftment goes without --plot"),
    (["endpoints", "--engraftment", "--plot", "e.svg"], "--engraftment goes without --plot"),
    (["endpoints", "--plot", "curve.pdf"], "--plot: curve.pdf must end in .svg or .png"),
    (["endpoints", "--endpoint", "wishes"], "invalid choice: 'wishes'"),
    (["endpoints", "--as-of", "yesterday"], "--as-of: 'yesterday' is no instant like 2026-"),
    (["endpoints", "--as-of", "2026-04-01"], "says no offset: write 2026-04-01T00:00Z"),
    (["endpoints", "--as-of", "9999-12-31T23:59-14:00"], "is no instant of the years 1 to 9999"),
    (["records", "--as-of", "0001-01-01T00:00+14:00"], "is no instant of the years 1 to 9999"),
    (["endpoints", "--plot", "/nowhere/at/all.svg"], "/nowhere/at/all-os.svg: No such file"),
    (["rules", "sites", "--as-of", "yesterday"], "--as-of"),
    (["rules", "status", "--as-of", "9999-12-31T23:59-00:01"], "is no instant of the years 1"),
    ([*SIMULATE, "--trials", "5"], "--trials must be from 100 to 1000000, not 5"),
    ([*SIMULATE, "--rates", "2"], "--rates must be one or more numbers from 0 to 1"),
    ([*SIMULATE, "--rates", "half"], "--rates: 'half' is not a number, or numbers like .2,.3"),
    (
        [*SIMULATE, "--accrual-days", "-1"],
        "--accrual-days must be above 0 and up to 3650 days, not -1",
    ),
    ([*SIMULATE, "--onset", "soon"], "'soon' is none of uniform, exponential:MEAN_DAYS"),
    ([*SIMULATE, "--onset", "exponential:-1"], "--onset: mean_days must be finite and above 0"),
    ([*SIMULATE, "--onset", "table:2=x"], "'table:2=x' is none of uniform"),
    ([*SIMULATE, "--window-days", "40-10"], "--window-days must be days above 0"),
    ([*SIMULATE, "--window-days", "1-2-3"], "'1-2-3' is no number of days"),
    ([*SIMULATE, "--seed", "-3"], "--seed must be 0 or more, not -3"),
    (
        ["simulate", "rule", str(STUDY), "S9", "--window-days", "30"],
        "RULE must be one of BLINA-HSCT.S1",
    ),
    (["simulate", "rule", "/nowhere", "S1", "--window-days", "30"], "/nowhere"),
    (["simulate", "rule", str(STUDY), "BLINA-HSCT.S1"], "--window-days"),
]


@pytest.mark.parametrize(("words", "problem"), WRONG)
def test_what_cannot_be_meant_is_named_with_its_range(words, problem, data, capsys):
    where = data if words[0] != "simulate" else []
    try:
        code = main([*words, *where])
    except SystemExit as exit_error:  # argparse
        code = exit_error.code
    assert code == 2
    assert problem in capsys.readouterr().err
