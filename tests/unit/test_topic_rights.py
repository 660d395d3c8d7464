"""Rights on topics: a site writes to its own and reads none, by whatever rule it may."""

import pytest

from services.runtime.topic_names import FACTS, SITE_EVENTS, make_site_topic
from services.runtime.topic_rights import TopicRight, find_right_differences
from services.runtime.topics import Difference

NORTH, RHEIN, SOUTH = (make_site_topic("TRIAL", site) for site in ("north", "rhein", "south"))
OWNERS = {
    NORTH: frozenset({"User:CN=north"}),
    RHEIN: frozenset({"User:CN=rhein", "User:rhein"}),
    SOUTH: frozenset(),  # names no certificate
}
TOPICS = (SITE_EVENTS, FACTS, NORTH, RHEIN, SOUTH)
PROPER_RIGHTS = [
    TopicRight(NORTH, "User:CN=north", "WRITE"),
    TopicRight(RHEIN, "User:CN=rhein", "WRITE"),
    TopicRight(RHEIN, "User:rhein", "ALL"),
    TopicRight("aegis.", "User:CN=ingest", "READ", is_prefix=True),
    TopicRight(FACTS, "User:CN=relay", "WRITE"),
]


def find(*rights):
    return list(find_right_differences([*PROPER_RIGHTS, *rights], TOPICS, OWNERS, SITE_EVENTS))


def test_each_site_may_write_to_its_own_topic_and_ingest_read_all():
    assert find() == []


def test_a_site_that_may_not_write_to_its_own_topic_is_missed():
    rights = [right for right in PROPER_RIGHTS if right.principal != "User:CN=rhein"]
    assert list(find_right_differences(rights, TOPICS, OWNERS, SITE_EVENTS)) == [
        Difference(RHEIN, "who writes", "User:CN=rhein", "it may not")
    ]


TO_ITS_OWN = "each site to its own topic"
FOREIGN = {  # a further rule; topic, what, what should be, of every difference that it makes
    "another site's topic": (
        TopicRight(NORTH, "User:CN=rhein", "WRITE"),
        [(NORTH, "who writes", "User:CN=north")],
    ),
    "every operation on another site's topic": (
        TopicRight(NORTH, "User:CN=rhein", "ALL"),
        [(NORTH, "who writes", "User:CN=north"), (NORTH, "who reads", "no site")],
    ),
    "an own topic, to read": (TopicRight(NORTH, "User:CN=north", "READ"), []),
    "to describe": (TopicRight(NORTH, "User:CN=rhein", "DESCRIBE"), []),
    "somebody who is no site": (
        TopicRight(NORTH, "User:CN=ops", "WRITE"),
        [(NORTH, "who writes", "User:CN=north")],
    ),
    "the topic of a site without certificates": (
        TopicRight(SOUTH, "User:CN=ops", "WRITE"),
        [(SOUTH, "who writes", "nobody (sites.yaml)")],
    ),
    "everybody": (
        TopicRight(NORTH, "User:*", "WRITE"),
        [(NORTH, "who writes", "User:CN=north")],
    ),
    "the topic of all sites": (
        TopicRight(SITE_EVENTS, "User:CN=north", "WRITE"),
        [(SITE_EVENTS, "who writes", TO_ITS_OWN)],
    ),
    "what the rules read": (
        TopicRight(FACTS, "User:CN=north", "READ"),
        [(FACTS, "who reads", "no site")],
    ),
    "what the rules are told": (
        TopicRight(FACTS, "User:CN=north", "WRITE"),
        [(FACTS, "who writes", "no site")],
    ),
    "a prefix": (
        TopicRight("aegis.trial.site-events.v1.", "User:CN=north", "WRITE", is_prefix=True),
        [
            (RHEIN, "who writes", "User:CN=rhein, User:rhein"),
            (SOUTH, "who writes", "nobody (sites.yaml)"),
        ],
    ),
    "a name that only begins like one": (TopicRight(NORTH[:-1], "User:CN=rhein", "WRITE"), []),
    "every topic": (
        TopicRight("*", "User:CN=north", "READ"),
        [(one, "who reads", "no site") for one in TOPICS if one != NORTH],
    ),
}


@pytest.mark.parametrize(("right", "expected"), FOREIGN.values(), ids=FOREIGN)
def test_whoever_else_may_is_a_difference(right, expected):
    assert [(one.topic, one.aspect, one.expected) for one in find(right)] == expected
    assert {one.actual for one in find(right)} <= {right.principal}


DENIALS = [  # a denial beside a right of rhein to the topic of north; is there a difference still?
    (TopicRight(NORTH, "User:CN=rhein", "WRITE", is_denial=True), False),
    (TopicRight(NORTH, "User:CN=rhein", "ALL", is_denial=True), False),
    (TopicRight("aegis.trial", "User:CN=rhein", "WRITE", is_prefix=True, is_denial=True), False),
    (TopicRight(NORTH, "User:CN=rhein", "READ", is_denial=True), True),
    (TopicRight(RHEIN[:-5], "User:CN=rhein", "WRITE", is_denial=True), True),
    (TopicRight(NORTH, "User:CN=rhein", "WRITE", is_denial=True, host="10.0.0.1"), True),
]


@pytest.mark.parametrize(("denial", "differs"), DENIALS)
def test_a_denial_takes_a_right_away(denial, differs):
    differences = find(TopicRight(NORTH, "User:CN=rhein", "WRITE"), denial)
    assert [one.actual for one in differences if one.topic == NORTH] == ["User:CN=rhein"] * differs


def test_a_denial_of_everybody_is_one_of_each_site():
    denial = TopicRight(NORTH, "User:*", "WRITE", is_denial=True)
    assert find(denial) == [Difference(NORTH, "who writes", "User:CN=north", "it may not")]
