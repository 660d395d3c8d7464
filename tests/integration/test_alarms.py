"""Alarms: their metrics exist, each rings when it should, and has a page on what to do."""

import json
import re
import subprocess
import time
import urllib.parse
import urllib.request
from pathlib import Path

import pytest
import yaml
from prometheus_client import CollectorRegistry

from deploy.local import watchers
from deploy.local.places import free_port
from services.runtime.metrics import Metrics
from tests.helpers.dashboards import list_panel_queries
from tests.helpers.servers import skip_without_server

pytestmark = pytest.mark.server

ROOT = Path(__file__).parent.parent.parent
PLACE = ROOT / "deploy" / "prometheus"
FILES = sorted((PLACE / "rules").glob("*.yml"))
RULES = [
    rule
    for file in FILES
    for group in yaml.safe_load(file.read_text())["groups"]
    for rule in group["rules"]
]
ALARMS = [rule for rule in RULES if "alert" in rule]
PAGES = sorted((ROOT / "docs" / "runbooks").glob("*.md"))
PANELS = [one for one in list_panel_queries() if one.source == "aegis-metrics"]
EXPRESSIONS = [rule["expr"] for rule in RULES] + [one.text for one in PANELS]


def labels_of():
    """The labels of each series that the registry may bring, by its name."""
    metrics = Metrics(CollectorRegistry())
    entries = {}
    for collector in vars(metrics).values():
        for family in getattr(collector, "describe", list)():
            suffixes = {"counter": ["_total"], "histogram": ["_bucket", "_sum", "_count"]}
            for suffix in suffixes.get(family.type, [""]):
                changes = {"le"} if suffix == "_bucket" else set()
                labels = set(collector._labelnames) | changes  # noqa: SLF001 - it tells nobody else
                entries[family.name + suffix] = labels
    return entries


def test_every_metric_that_is_asked_for_is_in_the_registry():
    expected = labels_of()
    for expression in EXPRESSIONS:
        for name in re.findall(r"\baegis_\w+", expression):
            assert name in expected, expression


def test_every_label_that_is_asked_for_is_one_of_its_metric():
    expected = labels_of()
    for expression in EXPRESSIONS:
        names = re.findall(r"\baegis_\w+", expression)
        has = set().union(*(expected[name] for name in names), {"job", "instance"})
        for batch in re.findall(r"by \(([^)]*)\)", expression):
            assert {label.strip() for label in batch.split(",")} <= has, expression
        assert set(re.findall(r"(\w+)(?:=~|!=|=)\"", expression)) <= has, expression


def said_by(promtool, *words):
    completed = subprocess.run([promtool, *words], capture_output=True, text=True, check=False)
    assert completed.returncode == 0, completed.stdout + completed.stderr


@pytest.mark.parametrize("name", ["prometheus.yml", "compose.yml"])
def test_promtool_accepts_the_configuration_with_its_rules(name, promtool):
    said_by(promtool, "check", "config", str(PLACE / name))


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.name)
def test_the_rules_pass_the_tests_beside_them(file, promtool):
    said_by(promtool, "test", "rules", str(file.parent / "tests" / file.name))


@pytest.mark.parametrize("alarm", [rule["alert"] for rule in ALARMS])
def test_an_alarm_is_tested_when_it_rings_and_when_it_does_not(alarm):
    tests = [
        one
        for file in FILES
        for test in yaml.safe_load((file.parent / "tests" / file.name).read_text())["tests"]
        for one in test["alert_rule_test"]
        if one["alertname"] == alarm
    ]
    rung = [len(one["exp_alerts"]) for one in tests]
    assert max(rung) > min(rung)


@pytest.mark.parametrize("rule", ALARMS, ids=lambda rule: rule["alert"])
def test_an_alarm_has_a_page_that_says_what_to_do(rule):
    page = (ROOT / rule["annotations"]["runbook"]).read_text()
    assert rule["alert"] in page
    assert [line for line in page.splitlines() if line.startswith("## ")] == [
        "## What it means",
        "## What to look at",
        "## What to do",
    ]
    assert rule["labels"]["severity"] in {"heartbeat", "page", "study", "warn"}


def test_every_page_is_that_of_an_alarm_and_in_the_list():
    names = {Path(rule["annotations"]["runbook"]).name for rule in ALARMS}
    assert {page.name for page in PAGES} - {"README.md"} == names
    index_page = (ROOT / "docs" / "runbooks" / "README.md").read_text()
    for page in PAGES:
        for page_name in re.findall(r"\]\(([\w-]+\.md)\)", page.read_text()):
            assert (page.parent / page_name).exists(), (page, page_name)
    assert {name for name in names if f"({name})" in index_page} == names


@pytest.fixture(scope="module")
def prometheus(watched_trial, tmp_path_factory):
    """A server that watches the service with the trial, every second, by the rules."""
    folder = tmp_path_factory.mktemp("prometheus")
    address = urllib.parse.urlsplit(watched_trial.metrics_url)
    configuration = folder / "prometheus.yml"
    notices = {
        "global": {"scrape_interval": "1s", "evaluation_interval": "1s"},
        "rule_files": [str(PLACE / "rules" / "*.yml")],
        "scrape_configs": [
            {"job_name": "aegis", "static_configs": [{"targets": [address.netloc]}]},
        ],
    }
    configuration.write_text(yaml.safe_dump(notices))
    with skip_without_server():
        server = watchers.prometheus(folder, free_port(), configuration)
    server.start()
    yield server
    server.stop()


def api(server, path, **query):
    address = f"{server.url}/api/v1/{path}?{urllib.parse.urlencode(query)}"
    with urllib.request.urlopen(address) as answer:  # noqa: S310 - its own port
        return json.load(answer)["data"]


def deadline(ask, holds, limit_s=120):
    """Return the answer of *ask* once it *holds*."""
    end = time.monotonic() + limit_s
    while not holds(text := ask()):
        assert time.monotonic() < end, text
        time.sleep(0.2)
    return text


@pytest.mark.slow
@pytest.mark.parametrize("item", PANELS, ids=str)
def test_every_panel_of_metrics_has_rows_without_a_participant(item, prometheus):
    expression = item.text.replace("$__rate_interval", "30s")
    rows = deadline(lambda: api(prometheus, "query", query=expression)["result"], bool)
    for row in rows:
        for label, value in row["metric"].items():
            assert label in {"__name__", "instance", "job"} or not value.startswith("P-0")


@pytest.mark.slow
def test_every_rule_can_be_evaluated_and_says_what_is_so(prometheus):
    def states():
        groups = api(prometheus, "rules")["groups"]
        return {rule["name"]: rule for group in groups for rule in group["rules"]}

    rules = deadline(
        states,
        lambda known: (
            known["AegisHeartbeat"]["state"] == "firing"
            and known["AegisSiteSilent"]["alerts"]
            and all(rule["health"] != "unknown" for rule in known.values())
        ),
    )
    assert len(rules) == len(RULES)
    assert {rule["health"] for rule in rules.values()} == {"ok"}
    assert rules["AegisNoProgress"]["state"] == "inactive"
    assert rules["AegisAuditChainBroken"]["state"] == "inactive"
    silent = {one["labels"]["site"] for one in rules["AegisSiteSilent"]["alerts"]}
    assert silent == {"north", "west", "rhein"}  # the messages of the trial are of another year
