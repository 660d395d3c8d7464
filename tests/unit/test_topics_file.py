"""The file of topics: what it declares on clusters of several sizes, and what it refuses."""

from pathlib import Path

import pytest

from services.cli.main import main
from services.runtime.file_error import UntrustedFileError
from services.runtime.topic_names import FACTS, OUTBOX_TOPICS, SITE_EVENTS
from services.runtime.topics import (
    FILE,
    ActualTopic,
    Cluster,
    Difference,
    find_differences,
    load_topics,
    require_declared,
)

ONE_TOPIC = """\
version: 1
copies: 3
topics:
  - {name: t, key: study, partitions: 4, settings: {retention.ms: 5, min.insync.replicas: 2}}
"""


def write_and_load(tmp_path, text=ONE_TOPIC):
    file = tmp_path / "topics.yaml"
    file.write_text(text)
    return load_topics(file)


def test_the_file_declares_exactly_the_topics_that_the_code_names():
    names = [topic.name for topic in load_topics().topics]
    assert names == [SITE_EVENTS, *OUTBOX_TOPICS]


def test_no_record_is_larger_than_the_producer_may_send():
    limits = {topic.settings["max.message.bytes"] for topic in load_topics(FILE).topics}
    assert limits == {1_048_576}


def test_each_site_of_the_study_has_a_topic_of_its_own():
    topics = load_topics().add_site_topics("BLINA-HSCT", ["north", "rhein"]).topics
    site_topics = {topic.name: topic for topic in topics[4:]}
    assert list(site_topics) == [
        "aegis.blina-hsct.site-events.v1.north",
        "aegis.blina-hsct.site-events.v1.rhein",
    ]
    assert [topic.name for topic in topics[:4]] == [topic.name for topic in load_topics().topics]
    for topic in site_topics.values():
        assert topic.settings == topics[0].settings  # those of the topic of all sites


def test_a_file_from_before_sites_had_topics_declares_none(tmp_path):
    topics_file = write_and_load(tmp_path)
    assert topics_file.add_site_topics("BLINA-HSCT", ["north"]) == topics_file


@pytest.mark.parametrize(
    ("brokers", "copies", "in_sync"), [(1, 1, "1"), (2, 2, "1"), (3, 3, "2"), (9, 3, "2")]
)
def test_one_broker_less_never_stops_a_topic(tmp_path, brokers, copies, in_sync):
    file = write_and_load(tmp_path)
    assert file.count_copies(brokers) == copies
    assert file.settings_for(file.topics[0], brokers)["min.insync.replicas"] == in_sync


def test_a_topic_as_declared_differs_in_nothing(tmp_path):
    actual_topic = ActualTopic(4, 3, {"retention.ms": "5", "min.insync.replicas": "2"})
    assert list(find_differences(write_and_load(tmp_path), Cluster(3, {"t": actual_topic}))) == []


@pytest.mark.parametrize(
    ("actual_topics", "expected"),
    [
        (None, Difference("t", "topic", "4 partitions", "missing")),
        (ActualTopic(8, 3, {}), Difference("t", "partitions", "4", "8")),
        (ActualTopic(4, 1, {}), Difference("t", "copies", "3", "1")),
        (ActualTopic(4, 3, {"retention.ms": "6"}), Difference("t", "retention.ms", "5", "6")),
    ],
)
def test_each_difference_says_what_is_declared_and_what_is_there(tmp_path, actual_topics, expected):
    settings = {"retention.ms": "5", "min.insync.replicas": "2"}
    if actual_topics is not None:
        actual_topics = ActualTopic(
            actual_topics.partitions, actual_topics.copies, settings | dict(actual_topics.settings)
        )
    cluster = Cluster(3, {} if actual_topics is None else {"t": actual_topics})
    assert list(find_differences(write_and_load(tmp_path), cluster)) == [expected]


BAD = {  # what is replaced, with what; the fault
    "no partitions": (
        "partitions: 4",
        "partitions: 0",
        "line 4, topics.1.partitions: must be greater than or equal to 1, not 0",
    ),
    "a number in quotes": (
        "partitions: 4",
        "partitions: '4'",
        "line 4, topics.1.partitions: must be a whole number",
    ),
    "a key that is missing": (
        "partitions: 4, ",
        "",
        "line 4, topics.1.partitions: is missing: add it",
    ),
    "a name that Kafka refuses": (
        "name: t",
        "name: a b",
        r"line 4, topics.1.name: must match pattern '^[a-zA-Z0-9._-]{1,249}$', not 'a b'",
    ),
    "a key that nobody knows": (
        "key: study",
        "key: study, partition: 4",
        (
            "line 4, topics.1.partition: there is no such key; it is one of: name, key,"
            " partitions, settings"
        ),
    ),
    "a setting that is a list": (
        "retention.ms: 5",
        "retention.ms: [5]",
        "line 4, topics.1.settings.retention.ms: must be true, false, a whole number or text",
    ),
    "a word that Kafka and YAML read apart": (
        "retention.ms: 5",
        "unclean.leader.election.enable: off",
        (
            "line 4, topics.1.settings.unclean.leader.election.enable: off is ambiguous: put it"
            " in quotes if it is text, or write true, false or a plain number"
        ),
    ),
    "a key given twice": (
        "copies: 3",
        "copies: 3\ncopies: 1",
        "line 3, copies: is given twice: remove one",
    ),
    "a topic declared twice": (
        "  - {name: t,",
        "  - {name: t, key: k, partitions: 1, settings: {}}\n  - {name: t,",
        "line 5, topics.2.name: t is declared twice: remove one",
    ),
    "no topics": (
        ONE_TOPIC[ONE_TOPIC.index("topics:") :],
        "topics: []\n",
        "line 3, topics: must list at least 1",
    ),
}


@pytest.mark.parametrize(("good", "bad", "problem"), BAD.values(), ids=BAD)
def test_a_file_that_cannot_be_trusted_is_refused_with_its_place(tmp_path, good, bad, problem):
    with pytest.raises(UntrustedFileError) as refusal:
        write_and_load(tmp_path, ONE_TOPIC.replace(good, bad, 1))
    assert str(refusal.value) == f"{tmp_path / 'topics.yaml'} {problem}"


def test_a_file_that_is_not_there_is_said(tmp_path):
    with pytest.raises(UntrustedFileError, match=r"none\.yaml: cannot be read"):
        load_topics(tmp_path / "none.yaml")


def test_a_file_without_the_topics_that_are_needed_is_refused(tmp_path):
    with pytest.raises(UntrustedFileError) as refusal:
        require_declared(write_and_load(tmp_path), ["t", FACTS, SITE_EVENTS], Path("other.yaml"))
    assert str(refusal.value).splitlines() == [
        f"other.yaml, topics: {FACTS} is missing, and Aegis needs it",
        f"other.yaml, topics: {SITE_EVENTS} is missing, and Aegis needs it",
    ]


def test_a_command_prints_one_line_for_each_fault(tmp_path, monkeypatch, capsys):
    file = tmp_path / "topics.yaml"
    file.write_text(ONE_TOPIC.replace("copies: 3", "copies: x").replace("key: ", "keys: "))
    monkeypatch.setenv("AEGIS_KAFKA_TOPICS", str(file))
    assert main(["topics"]) == 2
    assert capsys.readouterr().err.splitlines() == [
        f"aegis topics: {file} line 2, copies: must be a whole number",
        f"aegis topics: {file} line 4, topics.1.keys: there is no such key; did you mean 'key'?",
    ]
