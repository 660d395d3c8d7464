"""``aegis topics``: the topics of Kafka beside those declared, and who may write to them."""

import sys
from argparse import Namespace
from collections.abc import Mapping

from services.cli.command import CommandError
from services.cli.shared.chosen_settings import read_chosen_settings
from services.cli.shared.columns import TOPICS
from services.cli.shared.json_lines import print_json_lines
from services.cli.shared.site_topics import find_differences_of_rights, load_site_topics
from services.cli.shared.study_of_data import choose_study
from services.cli.shared.tables import make_explained_table
from services.runtime.kafka import KafkaUnavailableError, create_topics, find_topics
from services.runtime.kafka_rights import RightsUnknownError, find_topic_rights
from services.runtime.settings import KafkaSettings, read_settings
from services.runtime.sites_file import SiteRow
from services.runtime.topics import DeclaredTopics, Difference, find_differences, load_topics


def perform(args: Namespace) -> int:
    """Print the differences between the topics and those declared."""
    settings = read_settings(KafkaSettings)
    notes = sys.stderr if args.json else sys.stdout
    try:
        folder = choose_study(read_chosen_settings(args)).study
        study, sites = load_site_topics(folder)
        topics = load_topics(settings.kafka_topics).add_site_topics(
            study, [site.id for site in sites.values()]
        )
        if args.create:
            created_names = create_topics(settings, topics)
            if not args.json:
                print(
                    "\n".join(f"created {name}" for name in created_names) or "no topic was missing"
                )
        if not sites:
            print(f"note: no study in {folder} (AEGIS_STUDY): no topics of sites", file=notes)
        differences = _find_differences(settings, topics, sites, as_json=args.json)
    except KafkaUnavailableError as error:
        raise CommandError(str(error)) from error
    _print_differences(differences, len(topics.topics), as_json=args.json)
    return int(bool(differences))


def _find_differences(
    settings: KafkaSettings,
    topics: DeclaredTopics,
    sites: Mapping[str, SiteRow],
    *,
    as_json: bool,
) -> list[Difference]:
    """Return all differences; notes say what could not be compared, or is not as it might be."""
    notes = sys.stderr if as_json else sys.stdout
    cluster = find_topics(settings, topics)
    if cluster.brokers < topics.copies:
        print(
            f"note: {cluster.brokers} of the {topics.copies} brokers that {topics.copies}"
            " copies need: a lost disk is a lost topic (the journal can publish it again)",
            file=notes,
        )
    differences = list(find_differences(topics, cluster))
    try:
        rights = find_topic_rights(settings)
    except RightsUnknownError as error:
        print(f"note: {error}", file=notes)
        return differences
    return [*differences, *find_differences_of_rights(rights, topics, sites)]


def _print_differences(differences: list[Difference], count: int, *, as_json: bool) -> None:
    if as_json:
        print_json_lines(
            {"topic": one.topic, "what": one.aspect, "declared": one.expected, "found": one.actual}
            for one in differences
        )
    elif differences:
        rows = [(one.topic, one.aspect, one.expected, one.actual) for one in differences]
        print(make_explained_table(TOPICS, rows))
        print("`aegis topics --create` makes missing ones; nothing is ever changed here")
    else:
        print(f"{count} topics, each as declared")
