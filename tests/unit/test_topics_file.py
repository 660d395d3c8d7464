"""The file of topics: what it declares on clusters of several sizes, and what it refuses."""

import pytest

from services.runtime.topics import (
    FACTS,
    FILE,
    OUTBOX_TOPICS,
    SITE_EVENTS,
    ActualTopic,
    Cluster,
    Difference,
    TopicsFileError,
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


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        (ONE_TOPIC.replace("partitions: 4", "partitions: 0"), "topics.0.partitions"),
        (ONE_TOPIC.replace("partitions: 4", "partitions: '4'"), "topics.0.partitions"),
        (ONE_TOPIC.replace("partitions: 4, ", ""), "topics.0.partitions"),
        (ONE_TOPIC.replace("name: t", "name: a b"), "topics.0.name"),
        (ONE_TOPIC.replace("key: study", "key: study, partition: 4"), "topics.0.partition"),
        (ONE_TOPIC.replace("copies: 3", "copies: 3\ncopies: 1"), "copies: given twice"),
        (ONE_TOPIC + ONE_TOPIC.splitlines()[-1], "t: declared twice"),
        ("topics: [", "cannot be read"),
        ("", "file"),
    ],
)
def test_a_file_that_cannot_be_trusted_is_refused_with_its_place(tmp_path, text, problem):
    with pytest.raises(TopicsFileError, match=problem):
        write_and_load(tmp_path, text)


def test_a_file_that_is_not_there_is_said(tmp_path):
    with pytest.raises(TopicsFileError, match=r"none\.yaml: cannot be read"):
        load_topics(tmp_path / "none.yaml")


def test_a_file_without_a_topic_that_is_needed_is_refused(tmp_path):
    with pytest.raises(TopicsFileError, match=rf"other\.yaml: {FACTS}: not declared"):
        require_declared(write_and_load(tmp_path), ["t", FACTS], tmp_path / "other.yaml")
