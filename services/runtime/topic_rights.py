"""Rights on topics: a site writes to its own topic and reads none; all else is a difference.

Rights that Kafka grants without a rule are not seen: those of its super users, and everybody's
where ``allow.everyone.if.no.acl.found`` is true.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from services.runtime.topics import Difference

WILDCARD_PRINCIPAL = "User:*"
_READ, _WRITE, _EVERY_OPERATION = "READ", "WRITE", "ALL"
_ANY_HOST = "*"


@dataclass(frozen=True, slots=True)
class TopicRight:
    """A rule of Kafka (ACL) on topics.

    Args:
        pattern: Name of the topic, ``*`` for all, or how the names begin when *is_prefix*.
        principal: As Kafka knows a client: ``User:`` and the subject of its certificate.
        operation: By Kafka's name; ``ALL`` for every one.
        is_denial: True when it takes the right away.
        host: From where; ``*`` for everywhere.
    """

    pattern: str
    principal: str
    operation: str
    is_prefix: bool = False
    is_denial: bool = False
    host: str = _ANY_HOST

    def covers(self, topic: str, operation: str) -> bool:
        """Return True when it says something about *operation* on *topic*."""
        is_of_topic = topic.startswith(self.pattern) if self.is_prefix else self.pattern == topic
        return (is_of_topic or self.pattern == "*") and self.operation in (
            operation,
            _EVERY_OPERATION,
        )


def find_right_differences(
    rights: Sequence[TopicRight],
    topics: Sequence[str],
    owners: Mapping[str, frozenset[str]],
    shared_topic: str,
) -> Iterator[Difference]:
    """Yield the differences of *rights* from what sites should have.

    Args:
        rights: Of the cluster.
        topics: Every topic of Aegis.
        owners: Principals of the site to which a topic belongs, by topic.
        shared_topic: That of all sites, from which nobody can tell who wrote.
    """
    sites = frozenset(principal for principals in owners.values() for principal in principals)
    named_principals = sorted({right.principal for right in rights} | sites)
    for topic in topics:
        readers = _select_allowed(rights, topic, _READ, named_principals)
        writers = _select_allowed(rights, topic, _WRITE, named_principals)
        own_principals = owners.get(topic, frozenset())
        if topic in owners:
            expected = ", ".join(sorted(own_principals)) or "nobody (sites.yaml)"
            foreign_writers = [one for one in writers if one not in own_principals]
            for principal in sorted(own_principals - {*writers}):
                yield Difference(topic, "who writes", principal, "it may not")
        else:
            expected = "each site to its own topic" if topic == shared_topic else "no site"
            foreign_writers = [one for one in writers if one in {*sites, WILDCARD_PRINCIPAL}]
        for principal in foreign_writers:
            yield Difference(topic, "who writes", expected, principal)
        for principal in readers:
            if principal in {*sites, WILDCARD_PRINCIPAL} - own_principals:
                yield Difference(topic, "who reads", "no site", principal)


def _select_allowed(
    rights: Sequence[TopicRight], topic: str, operation: str, principals: Sequence[str]
) -> list[str]:
    """Return those of *principals* that a rule of their own lets do *operation* on *topic*."""
    matching_rights = [right for right in rights if right.covers(topic, operation)]
    allowed_principals = {right.principal for right in matching_rights if not right.is_denial}
    denied_principals = {
        right.principal for right in matching_rights if right.is_denial and right.host == _ANY_HOST
    }
    if WILDCARD_PRINCIPAL in denied_principals:
        return []
    return [one for one in principals if one in allowed_principals and one not in denied_principals]
