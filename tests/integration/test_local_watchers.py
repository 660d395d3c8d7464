"""Prometheus and Alertmanager start on this machine with a configuration, or say what is wrong."""

import json
import subprocess
import time
from pathlib import Path
from urllib.request import urlopen

import pytest

from deploy.local import watchers
from deploy.local.places import free_port, is_free
from deploy.local.program import ServerError
from tests.helpers.servers import skip_without_server

pytestmark = pytest.mark.server

ITSELF = """\
global: {scrape_interval: 200ms}
scrape_configs:
  - job_name: itself
    static_configs: [{targets: ["127.0.0.1:%d"]}]
"""


@pytest.fixture
def prometheus(tmp_path):
    """A Prometheus that watches itself."""
    port = free_port()
    configuration = tmp_path / "prometheus.yml"
    configuration.write_text(ITSELF % port)
    with skip_without_server():
        server = watchers.prometheus(tmp_path / "prometheus", port, configuration)
    yield server
    server.stop()


def up_of(server):
    """Return the number of times that the server has seen itself."""
    with urlopen(f"{server.url}/api/v1/query?query=count_over_time(up[5m])") as answer:  # noqa: S310 (loopback)
        result = json.load(answer)["data"]["result"]
    return int(result[0]["value"][1]) if result else 0


def test_prometheus_watches_what_it_is_told_and_gives_back_its_port(prometheus):
    prometheus.start()
    deadline = time.monotonic() + 20
    while not up_of(prometheus):
        assert time.monotonic() < deadline
        time.sleep(0.05)
    prometheus.stop()
    assert is_free(prometheus.port)


def test_prometheus_refuses_a_configuration_that_is_none_in_its_own_words(prometheus, tmp_path):
    (tmp_path / "prometheus.yml").write_text("scrape_config: []\n")
    with pytest.raises(ServerError, match=r"(?s)ended while starting.*scrape_config"):
        prometheus.start()


def test_alertmanager_takes_alerts_and_gives_back_its_port(tmp_path):
    configuration = tmp_path / "alertmanager.yml"
    configuration.write_text("route: {receiver: nobody}\nreceivers: [{name: nobody}]\n")
    with skip_without_server():
        server = watchers.alertmanager(tmp_path / "alertmanager", free_port(), configuration)
    try:
        server.start()
        with urlopen(f"{server.url}/api/v2/alerts") as answer:  # noqa: S310 (loopback)
            assert json.load(answer) == []
    finally:
        server.stop()
    assert is_free(server.port)


def test_what_compose_lets_prometheus_watch_is_accepted_by_promtool(promtool):
    configuration = Path(__file__).parents[2] / "deploy" / "prometheus" / "compose.yml"
    command = [promtool, "check", "config", str(configuration)]
    process = subprocess.run(command, capture_output=True, text=True, check=False)
    assert process.returncode == 0, process.stdout + process.stderr
