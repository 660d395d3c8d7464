"""``aegis records``: the graded records as they are now, or were then."""

from argparse import Namespace
from collections.abc import Mapping
from dataclasses import fields

from services.acts.record_signatures import describe_signature, load_record_signatures
from services.acts.seen_content import hash_seen
from services.acts.trail import list_entries
from services.cli.shared.json_lines import print_json_lines
from services.cli.shared.records_table import (
    make_records_table,
    sort_as_table,
    write_canonical_lines,
)
from services.cli.shared.stored_data import find_participants, open_stored_data
from services.store import records
from services.vocabulary.act import Act
from services.vocabulary.episode import Episode
from services.vocabulary.printable_text import escape_json, escape_lines


def perform(args: Namespace) -> int:
    """Print records in the chosen form."""
    data = open_stored_data(args)
    with data.db.read() as conn:
        find_participants(conn, data.study_id, args.participant)
        if args.history:
            versions = records.load_episode_versions(conn, args.participant)
        else:
            versions = records.load_latest_episodes(conn, args.participant, args.as_of)
        signatures = load_record_signatures(conn)
    if args.history:
        print_json_lines(versions)
        return 0
    current = [episode for episode in versions if not episode.retracted]
    if args.json:
        print_json_lines(_add_signatures(episode, signatures) for episode in sort_as_table(current))
    elif args.canonical:
        for line in write_canonical_lines(current):
            print(escape_json(line))
    else:
        print(make_records_table(current))
        signature_lines = [
            f"{episode.id[:8]}  {describe_signature(act)}"
            for episode in sort_as_table(current)
            for act in signatures.get(episode.id, [])
        ]
        if signature_lines:
            print(escape_lines("\n".join(["", "Signatures", *signature_lines])))
    return 0


def _add_signatures(episode: Episode, signatures: Mapping[str, list[Act]]) -> dict[str, object]:
    content = {field.name: getattr(episode, field.name) for field in fields(episode)}
    entries = list(map(list_entries, signatures.get(episode.id, [])))
    return content | {"hash": hash_seen(episode), "signatures": entries}
