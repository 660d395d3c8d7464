"""The topics of the sites of a study, and who may use them, without the study's rules."""

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from services.runtime.sites_file import SITES, SiteRow, read_sites_file
from services.runtime.strict_yaml import read_yaml_file
from services.runtime.topic_names import SITE_EVENTS, make_site_topic
from services.runtime.topic_rights import TopicRight, find_right_differences
from services.runtime.topics import DeclaredTopics, Difference

_PROTOCOL = "protocol.yaml"


def load_site_topics(folder: Path) -> tuple[str, Mapping[str, SiteRow]]:
    """Return the id of the study in *folder*, and its sites by the topic of each; none without.

    Raises:
        UntrustedFileError: ``sites.yaml`` or ``protocol.yaml`` cannot be trusted.
    """
    if not (folder / SITES).exists():
        return "", {}
    document = read_yaml_file(folder / _PROTOCOL)
    content = document.value
    study = content.get("study") if isinstance(content, Mapping) else None
    if not isinstance(study, str):
        raise document.refusal([("study", "is missing: add it")])
    _, sites = read_sites_file(folder)
    return study, {make_site_topic(study, site.id): site for site in sites}


def find_differences_of_rights(
    rights: Sequence[TopicRight], topics: DeclaredTopics, sites: Mapping[str, SiteRow]
) -> Iterator[Difference]:
    """Yield the differences of *rights* from those that sites should have, topic by topic."""
    owners = {topic: site.kafka_principals for topic, site in sites.items()}
    names = [topic.name for topic in topics.topics]
    yield from find_right_differences(rights, names, owners, SITE_EVENTS)
