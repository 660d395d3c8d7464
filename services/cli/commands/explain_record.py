"""The answer of ``aegis explain``: one record with its evidence."""

from argparse import Namespace
from collections.abc import Mapping

from services.acts.record_signatures import describe_signature, load_record_signatures
from services.acts.seen_content import hash_seen
from services.acts.trail import list_entries
from services.cli.command import CommandError
from services.cli.shared.active_folder import find_active_folder
from services.cli.shared.explanation_text import write_explanation
from services.cli.shared.find_record import find_record
from services.cli.shared.json_lines import write_json_lines
from services.cli.shared.stored_data import StoredData, open_stored_data
from services.runtime.sites_file import SITES, read_sites_file
from services.safety_rules.adapters.activated_rules import ActivatedRules, read_activated_rules
from services.safety_rules.reports.explained_record import Explanation
from services.safety_rules.reports.explanation import explain_record
from services.store import protocols, records
from services.store.session import Connection
from services.vocabulary.printable_text import escape_lines


def compute_answer(args: Namespace) -> str:
    """Return one record with its evidence, in words or as JSON.

    Raises:
        CommandError: There are no data, or not one such record.
        UntrustedFileError: The protocol, its criteria or the sites cannot be read.
    """
    data = open_stored_data(args)
    with data.db.read() as conn:
        record = find_record(records.load_latest_episodes(conn), args.record)
        activated_rules = _read_rules(data, conn)
        explanation = explain_record(conn, activated_rules, record.id)
        signatures = load_record_signatures(conn, [record.id]).get(record.id, [])
    if args.json:
        entries = [list_entries(act) for act in signatures]
        return write_json_lines([_as_json(explanation) | {"signatures": entries}])
    lines = [f"  {describe_signature(act)}: {act.reason}" for act in signatures]
    heading = ["", "Signatures"] if lines else []
    return "\n".join([*write_explanation(explanation), *heading, *map(escape_lines, lines)])


def _read_rules(data: StoredData, conn: Connection) -> ActivatedRules:
    """Return the rules by which the data run.

    Raises:
        CommandError: There is none.
        UntrustedFileError: The protocol, its criteria or the sites cannot be read.
    """
    protocol = protocols.load_active_protocol(conn, data.study_id)
    if protocol is None:
        raise CommandError(f"{data.study_id} has no protocol in these data: run `aegis verify`")
    return read_activated_rules(protocol.content, protocol.version, _read_timezones(data))


def _read_timezones(data: StoredData) -> Mapping[str, str]:
    """Return the time zones of the study's sites; none when its folder is not there."""
    try:
        folder = find_active_folder(data.settings)
    except CommandError:
        return {}
    if not (folder / SITES).exists():
        return {}
    return {site.id: site.timezone for site in read_sites_file(folder)[1]}


def _as_json(explanation: Explanation) -> dict[str, object]:
    """Return the whole explanation; `wording` is that of the worst grade alone."""
    latest = explanation.versions[-1]
    worst = (latest.content.criterion, latest.content.worst.at_least)
    wordings = explanation.wordings
    says = [one.says for one in wordings if (one.criterion, one.grade) == worst]
    return {
        "record": latest,
        "hash": hash_seen(latest),
        "wording": says[0] if says else "",
        "wordings": wordings,
        "versions": explanation.versions,
        "changes": explanation.changes,
        "timezone": explanation.timezone,
        "onset": explanation.onset,
        "resolution": explanation.resolution,
        "ended_by": explanation.ended_by,
        "baseline": {
            "facts": explanation.baseline,
            "at": explanation.baseline_at,
            "side": explanation.baseline_side,
        },
        "stretches": explanation.stretches,
        "adjudications": explanation.adjudications,
        "is_current": explanation.is_current,
        "facts": list(explanation.facts.values()),
    }
