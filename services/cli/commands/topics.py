"""``aegis topics``: whether Kafka has the topics of Aegis, as they are declared."""

import sys
from argparse import Namespace

from services.cli.command import CommandError
from services.cli.shared.columns import TOPICS
from services.cli.shared.json_lines import print_json_lines
from services.cli.shared.tables import make_explained_table
from services.runtime.kafka import KafkaUnavailableError, create_topics, find_topics
from services.runtime.settings import KafkaSettings, read_settings
from services.runtime.topics import DeclaredTopics, find_differences, load_topics


def perform(args: Namespace) -> int:
    """Print the differences between the topics and those declared."""
    settings = read_settings(KafkaSettings)
    try:
        topics = load_topics(settings.kafka_topics)
        if args.create:
            created_names = create_topics(settings, topics)
            if not args.json:
                print(
                    "\n".join(f"created {name}" for name in created_names) or "no topic was missing"
                )
        return _print_differences(settings, topics, as_json=args.json)
    except KafkaUnavailableError as error:
        raise CommandError(str(error)) from error


def _print_differences(settings: KafkaSettings, topics: DeclaredTopics, *, as_json: bool) -> int:
    cluster = find_topics(settings, topics)
    if cluster.brokers < topics.copies:
        print(
            f"note: {cluster.brokers} of the {topics.copies} brokers that {topics.copies}"
            " copies need: a lost disk is a lost topic (the journal can publish it again)",
            file=sys.stderr if as_json else sys.stdout,
        )
    differences = list(find_differences(topics, cluster))
    if as_json:
        print_json_lines(
            {"topic": one.topic, "what": one.aspect, "declared": one.expected, "found": one.actual}
            for one in differences
        )
        return int(bool(differences))
    if not differences:
        print(f"{len(topics.topics)} topics, each as declared")
        return 0
    rows = [(one.topic, one.aspect, one.expected, one.actual) for one in differences]
    print(make_explained_table(TOPICS, rows))
    print("`aegis topics --create` makes missing ones; nothing is ever changed here")
    return 1
