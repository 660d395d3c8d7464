"""Each panel asks what its audience may see, gets an answer, and shows nobody's identity."""

import json
import re
from collections import Counter
from itertools import pairwise

import psycopg
import pytest
import yaml
from grafana_foundation_sdk.cog.encoder import JSONEncoder
from grafana_foundation_sdk.cog.plugins import register_default_plugins
from grafana_foundation_sdk.models.dashboard import Dashboard

from deploy.grafana import colours
from deploy.grafana.generate import FOLDER, render_dashboards
from tests.helpers.dashboards import (
    AUDIENCES,
    BOARDS,
    list_panel_queries,
    list_panels,
    list_variable_queries,
)
from tests.helpers.watched_trial import DATE, identifiers

server = pytest.mark.server
CLINICAL = [one for one in list_panel_queries() if one.source in AUDIENCES]
PROVISIONING_FOLDERS = ("provisioning", "provisioning-dsmb")


def test_the_committed_files_are_those_that_the_code_writes():
    """`make grafana` brings them up to date."""
    files = {path.relative_to(FOLDER): path.read_text() for path in FOLDER.glob("**/*.json")}
    assert files == render_dashboards()


@pytest.mark.parametrize("subject", BOARDS)
def test_grafanas_own_schema_reads_each_and_leaves_nothing_out(subject):
    register_default_plugins()
    read = Dashboard.from_json(BOARDS[subject])
    assert json.loads(json.dumps(read, cls=JSONEncoder)) == BOARDS[subject]


def test_no_two_have_one_name():
    uids = [board["uid"] for board in BOARDS.values()]
    assert sorted(uids) == ["aegis-course", "aegis-dsmb", "aegis-operations", "aegis-safety"]
    for board in BOARDS.values():
        ids = [panel["id"] for panel in board["panels"]]
        assert len(set(ids)) == len(ids)


def test_nobody_can_edit_them():
    assert not any(board["editable"] for board in BOARDS.values())


@pytest.mark.parametrize("subject", BOARDS)
def test_panels_do_not_overlap(subject):
    taken_rows = Counter(
        (x, y)
        for panel in BOARDS[subject]["panels"]
        for box in [panel["gridPos"]]
        for x in range(box["x"], box["x"] + box["w"])
        for y in range(box["y"], box["y"] + box["h"])
    )
    assert set(taken_rows.values()) == {1}
    assert max(x for x, _ in taken_rows) < 24


@pytest.mark.parametrize("subject", ["dsmb/stopping-rules", "safety/course", "safety/worklist"])
def test_every_clinical_panel_says_how_far_its_data_go_and_how_sure_they_are(subject):
    assert "data_cut" in [one["name"] for one in BOARDS[subject]["templating"]["list"]]
    for panel in BOARDS[subject]["panels"]:
        assert "${data_cut}" in panel["description"], panel["title"]
        assert "suspected" in panel["description"], panel["title"]
        assert "provisional" in panel["description"], panel["title"]


def test_what_is_absent_is_called_so():
    for name, panel in list_panels():
        assert panel["fieldConfig"]["defaults"]["noValue"] == "no data", (name, panel["title"])


def texts_by_value(mappings):
    """The colour of each word or number that *mappings* name; of what is absent: None."""
    entries = {}
    for item in mappings:
        if item["type"] == "value":
            entries |= {word: result["color"] for word, result in item["options"].items()}
        elif item["type"] == "special":
            entries[None] = item["options"]["result"]["color"]
    return entries


def every_mapping(panel):
    config = panel["fieldConfig"]
    yield config["defaults"].get("mappings", [])
    for override in config.get("overrides", []):
        for item in override["properties"]:
            if item["id"] == "mappings":
                yield item["value"]


def test_every_grade_has_its_digit_and_its_colour_and_no_data_another():
    graded_study = [
        (panel["title"], texts_by_value(mappings), mappings)
        for _, panel in list_panels()
        for mappings in every_mapping(panel)
        if "3" in texts_by_value(mappings)
    ]
    assert len(graded_study) >= 6
    for title, colour_of, mappings in graded_study:
        grades = [colour_of[str(grade)] for grade in range(6)]
        assert grades == list(colours.GRADES), title
        assert colour_of.get(None, colours.NO_DATA) not in grades, title
        page = {r["text"] for m in mappings if m["type"] == "value" for r in m["options"].values()}
        assert page == set("012345")


def test_a_lighter_grade_is_a_lighter_colour_and_nothing_is_green():
    def light(colour):
        red, green, blue = (int(colour[at : at + 2], 16) for at in (1, 3, 5))
        return 0.2126 * red + 0.7152 * green + 0.0722 * blue

    lightness = [light(colour) for colour in colours.GRADES]
    assert lightness == sorted(lightness, reverse=True)
    assert min(a - b for a, b in pairwise(lightness)) > 10
    text = "".join(path.read_text() for path in FOLDER.glob("**/*.json")).lower()
    used_colours = set(re.findall(r"#[0-9a-f]{6}\b", text))
    assert len(used_colours) > 8
    greens = [
        c for c in used_colours if int(c[3:5], 16) > 1.1 * max(int(c[1:3], 16), int(c[5:7], 16))
    ]
    assert greens == []
    assert "green" not in text


def test_a_variable_is_a_study_a_rule_or_a_pseudonym():
    """They stand in addresses, which are copied and logged."""
    names = {one["name"] for b in BOARDS.values() for one in b["templating"].get("list", [])}
    assert names == {"data_cut", "participant", "rule", "study"}
    used_variables = re.findall(r"\$\{(\w+)", json.dumps(BOARDS))
    assert set(used_variables) <= names | {"__data", "__field"}


def test_a_legend_names_no_participant():
    labels = {
        label
        for _, panel in list_panels()
        for target in panel["targets"]
        for label in re.findall(r"\{\{(\w+)\}\}", target.get("legendFormat", ""))
    }
    assert labels == {
        "ack", "channel", "clock", "grade", "kind", "level", "missing", "reason", "result", "rule",
        "site", "stage", "topic",
    }  # fmt: skip


@pytest.mark.parametrize("folder", PROVISIONING_FOLDERS)
def test_every_source_and_folder_is_provisioned_without_a_secret(folder):
    place = FOLDER.parent / folder
    sources = yaml.safe_load((place / "datasources" / "aegis.yaml").read_text())["datasources"]
    providers = yaml.safe_load((place / "dashboards" / "aegis.yaml").read_text())["providers"]
    page = {one["options"]["path"].rsplit("/", 1)[1] for one in providers}
    needed_sources = {
        one.source
        for one in [*list_panel_queries(), *list_variable_queries()]
        if one.board.split("/")[0] in page
    }
    assert {one["uid"] for one in sources} == needed_sources
    assert not any(one["editable"] for one in sources)
    assert not any(one["allowUiUpdates"] for one in providers)
    for item in sources:
        assert all(
            value.startswith("$__file{") for value in item.get("secureJsonData", {}).values()
        )


def test_the_dsmb_has_no_other_source():
    place = FOLDER.parent / "provisioning-dsmb" / "datasources" / "aegis.yaml"
    assert [one["uid"] for one in yaml.safe_load(place.read_text())["datasources"]] == [
        "aegis-dsmb"
    ]
    assert {one.source for one in list_panel_queries() if one.board.startswith("dsmb")} == {
        "aegis-dsmb"
    }


def test_every_dashboard_is_in_a_folder_that_somebody_has():
    page = {
        one["options"]["path"].rsplit("/", 1)[1]
        for folder in PROVISIONING_FOLDERS
        for one in yaml.safe_load(
            (FOLDER.parent / folder / "dashboards" / "aegis.yaml").read_text()
        )["providers"]
    }
    assert page == {name.split("/")[0] for name in BOARDS}


def answers(watched_trial, item):
    """The names of the columns and the rows that *item* brings to its audience."""
    values = {
        "study": watched_trial.context.study_id,
        "participant": "P-003",
        "rule": "BLINA-HSCT.S1",
    }
    with watched_trial.acting_as(item.audience) as connection:
        cursor = connection.execute(item.sql(values))
        return [column.name for column in cursor.description], cursor.fetchall()


@server
@pytest.mark.slow
@pytest.mark.parametrize("item", [*CLINICAL, *(v for v in list_variable_queries())], ids=str)
def test_every_query_brings_rows_without_an_identifier(item, watched_trial):
    columns, rows = answers(watched_trial, item)
    assert rows
    assert len(set(columns)) == len(columns)
    page = json.dumps(rows, default=str)
    expected = {
        name for sent in watched_trial.trial.messages for name in identifiers(sent.decode())
    }
    assert not [name for name in expected - {""} if re.search(rf"\b{re.escape(name)}\b", page)]
    if item.audience == "dsmb":
        assert not DATE.search(page)
        assert not re.search(r'"(north|west|rhein)"', page)
        assert not {"site", "Site"} & set(columns)


@server
@pytest.mark.slow
def test_a_look_of_a_column_is_of_one_that_the_query_has(watched_trial):
    columns_of = {(one.board, one.panel): answers(watched_trial, one)[0] for one in CLINICAL}
    for name, panel in list_panels():
        if (name, panel["title"]) not in columns_of:
            continue
        columns = columns_of[name, panel["title"]]
        steps = {step["id"]: step["options"] for step in panel.get("transformations", [])}
        if "groupingToMatrix" in steps:
            options = steps["groupingToMatrix"]
            fields = {options[key] for key in ("rowField", "columnField", "valueField")}
            assert fields == set(columns)
            columns = [f"{options['rowField']}\\{options['columnField']}"]
        for override in panel["fieldConfig"].get("overrides", []):
            assert override["matcher"]["options"] in columns, panel["title"]


@server
@pytest.mark.slow
def test_a_matrix_has_every_column_in_order_from_its_first_row_on(watched_trial):
    matrices = [one for one in CLINICAL if '"Days"' in one.text and one.board == "safety/worklist"]
    assert len(matrices) == 2
    for item in matrices:
        _, rows = answers(watched_trial, item)
        first = [days for of, days, _ in rows if of == rows[0][0]]
        assert first == sorted(first, key=lambda days: int(days.split()[0]))
        assert len(rows) == len(first) * len({of for of, _, _ in rows})


@server
@pytest.mark.slow
def test_the_course_of_a_record_has_its_signs_drugs_and_grades(watched_trial):
    """The participant with the worst CRS, in the time that the link of the record opens."""
    with watched_trial.acting_as("safety") as connection:
        participant, start, deadline = connection.execute(
            "SELECT participant, onset_at - interval '1 day', coalesce(resolved_at, onset_at) +"
            " interval '1 day' FROM watch.record WHERE criterion = 'astct-2019.crs'"
            " ORDER BY worst_at_least DESC, record LIMIT 1"
        ).fetchone()
        values = {"study": watched_trial.context.study_id, "participant": participant}
        rows_by_panel = {
            one.panel: connection.execute(
                one.sql(values, start.isoformat(), deadline.isoformat())
            ).fetchall()
            for one in CLINICAL
            if one.board == "safety/course"
        }
    assert [name for name, rows in rows_by_panel.items() if not rows] == []
    temperatures = [celsius for _, celsius, _ in rows_by_panel["Temperature"] if celsius]
    assert max(temperatures) >= 38
    assert {lane for _, lane, _ in rows_by_panel["Drugs"]} & {"acetaminophen", "tocilizumab"}
    assert {
        grade for _, _, grade in rows_by_panel["CRS and ICANS: grade of record (ASTCT 2019)"]
    } > {"1"}


@server
@pytest.mark.slow
def test_a_quote_in_a_variable_stays_a_value(watched_trial):
    hostile = "x' OR 'x'='x"
    for item in CLINICAL:
        with watched_trial.acting_as(item.audience) as connection:
            values = {"study": hostile, "participant": hostile, "rule": hostile}
            try:
                assert connection.execute(item.sql(values)).fetchall() == []
            except psycopg.errors.SyntaxError:
                pytest.fail(f"{item}: the value was read as SQL")
