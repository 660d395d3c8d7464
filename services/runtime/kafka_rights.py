"""The rights on topics that a cluster grants by rules (ACLs)."""

from kafka.admin import (
    ACLFilter,
    ACLOperation,
    ACLPermissionType,
    ACLResourcePatternType,
    ResourcePatternFilter,
    ResourceType,
)
from kafka.errors import ClusterAuthorizationFailedError, SecurityDisabledError

from services.runtime.kafka import lend_admin
from services.runtime.settings import KafkaSettings
from services.runtime.topic_rights import TopicRight

_EVERY_RULE = ACLFilter(
    principal=None,
    host=None,
    operation=ACLOperation.ANY,
    permission_type=ACLPermissionType.ANY,
    resource_pattern=ResourcePatternFilter(ResourceType.TOPIC, None, ACLResourcePatternType.ANY),
)


class RightsUnknownError(Exception):
    """The rights of a cluster cannot be told; the message says why, and what it means."""


def find_topic_rights(settings: KafkaSettings) -> list[TopicRight]:
    """Return every rule on topics.

    Raises:
        KafkaUnavailableError: No broker answers in time, or it refuses.
        RightsUnknownError: The cluster checks no rights, or does not show them to this client.
    """
    with lend_admin(settings) as admin:
        try:
            rules, _ = admin.describe_acls(_EVERY_RULE)
        except SecurityDisabledError as error:
            raise RightsUnknownError(
                "this cluster checks no rights (authorizer.class.name): whoever reaches a broker"
                " may write as every site, and read all"
            ) from error
        except ClusterAuthorizationFailedError as error:
            raise RightsUnknownError(
                "the rights on topics are not compared: this client may not see them (DESCRIBE on"
                " the cluster)"
            ) from error
    return [
        TopicRight(
            rule.resource_pattern.resource_name,
            rule.principal,
            rule.operation.name,
            is_prefix=rule.resource_pattern.pattern_type is ACLResourcePatternType.PREFIXED,
            is_denial=rule.permission_type is ACLPermissionType.DENY,
            host=rule.host,
        )
        for rule in rules
    ]
