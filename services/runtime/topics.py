"""The declaration of topics in ``deploy/kafka/topics.yaml``, and the topics of a cluster."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

from pydantic import Field, PlainValidator

import services
from services.runtime.file_error import FileFault, UntrustedFileError
from services.runtime.file_models import StrictModel, read_model
from services.runtime.strict_yaml import read_yaml_file
from services.runtime.topic_names import make_site_topic

FILE = Path(services.__file__).parent.parent / "deploy" / "kafka" / "topics.yaml"

PARTITIONS = "partitions"
MISSING = "topic"
_COPIES = "copies"
_IN_SYNC = "min.insync.replicas"

_Count = Annotated[int, Field(ge=1, le=10_000)]
_Name = Annotated[str, Field(pattern=r"^[a-zA-Z0-9._-]{1,249}$")]


def _check_setting(value: object) -> object:
    if not isinstance(value, bool | int | str):
        raise ValueError("must be true, false, a whole number or text")  # noqa: TRY004 (pydantic's)
    return value


_Setting = Annotated[bool | int | str, PlainValidator(_check_setting)]


class DeclaredTopic(StrictModel):
    """A topic as the file has it; its settings are those of Kafka, by Kafka's names."""

    name: _Name
    key: str
    partitions: _Count
    settings: Mapping[str, _Setting]


class SiteTopicDeclaration(StrictModel):
    """The declaration of each site's own topic, whose name is made from study and site."""

    key: str
    partitions: _Count
    settings: Mapping[str, _Setting]


class DeclaredTopics(StrictModel):
    """All topics, each in *copies* copies where there are as many brokers.

    *each_site* is None in files from before sites had topics of their own.
    """

    version: int
    copies: _Count
    topics: Annotated[tuple[DeclaredTopic, ...], Field(min_length=1)]
    each_site: SiteTopicDeclaration | None = None

    def add_site_topics(self, study: str, sites: Iterable[str]) -> "DeclaredTopics":
        """Return these topics, and one of its own for each of *sites*."""
        if self.each_site is None:
            return self
        fields = self.each_site.model_dump()
        site_topics = (DeclaredTopic(name=make_site_topic(study, site), **fields) for site in sites)
        return self.model_copy(update={"topics": (*self.topics, *site_topics)})

    def count_copies(self, brokers: int) -> int:
        """Return the number of copies of each topic on a cluster of *brokers* (at least one)."""
        return min(self.copies, brokers)

    def settings_for(self, topic: DeclaredTopic, brokers: int) -> dict[str, str]:
        """Return the settings of *topic* on a cluster of *brokers*, as Kafka writes them.

        At most all copies but one have to be in sync, so that one broker may be away.
        """
        settings = {name: _write_setting(value) for name, value in topic.settings.items()}
        if _IN_SYNC in settings:
            limit = max(1, self.count_copies(brokers) - 1)
            settings[_IN_SYNC] = str(min(int(settings[_IN_SYNC]), limit))
        return settings


@dataclass(frozen=True, slots=True)
class ActualTopic:
    """A topic as a cluster has it."""

    partitions: int
    copies: int
    settings: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Cluster:
    """A cluster: its number of brokers, and those of the declared topics that exist."""

    brokers: int
    topics: Mapping[str, ActualTopic]


@dataclass(frozen=True, slots=True)
class Difference:
    """A difference of *topic* from its declaration."""

    topic: str
    aspect: str
    expected: str
    actual: str


def load_topics(path: Path | None = None) -> DeclaredTopics:
    """Return the topics that the file at *path* (``deploy/kafka/topics.yaml``) declares.

    Raises:
        UntrustedFileError: It cannot be read; a key is missing, unknown or given twice; a value or
            a name cannot be.
    """
    document = read_yaml_file(path or FILE)
    topics = read_model(document, DeclaredTopics)
    names = [topic.name for topic in topics.topics]
    repeats = [
        (f"topics.{index + 1}.name", f"{name} is declared twice: remove one")
        for index, name in enumerate(names)
        if name in names[:index]
    ]
    if repeats:
        raise document.refusal(repeats)
    return topics


def require_declared(
    topics: DeclaredTopics, names: Iterable[str], path: Path | None = None
) -> None:
    """Require that the file at *path* (``deploy/kafka/topics.yaml``) declares all of *names*.

    Raises:
        UntrustedFileError: Some are missing in it.
    """
    missing = sorted(set(names) - {topic.name for topic in topics.topics})
    if missing:
        raise UntrustedFileError(
            FileFault(str(path or FILE), 0, "topics", f"{name} is missing, and Aegis needs it")
            for name in missing
        )


def find_differences(topics: DeclaredTopics, cluster: Cluster) -> Iterator[Difference]:
    """Yield the differences of *cluster* from the declared *topics*, topic by topic."""
    for topic in topics.topics:
        actual_topic = cluster.topics.get(topic.name)
        if actual_topic is None:
            yield Difference(topic.name, MISSING, f"{topic.partitions} partitions", "missing")
            continue
        expected_settings: dict[str, str] = {
            PARTITIONS: str(topic.partitions),
            _COPIES: str(topics.count_copies(cluster.brokers)),
            **topics.settings_for(topic, cluster.brokers),
        }
        has = {
            PARTITIONS: str(actual_topic.partitions),
            _COPIES: str(actual_topic.copies),
            **actual_topic.settings,
        }
        for aspect, value in expected_settings.items():
            if has.get(aspect) != value:
                yield Difference(
                    topic.name, aspect, value, has.get(aspect, "unknown to this Kafka")
                )


def _write_setting(value: bool | int | str) -> str:  # noqa: FBT001 (a value of the file)
    return str(value).lower() if isinstance(value, bool) else str(value)
