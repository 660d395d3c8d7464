"""``aegis explain``: why a record says what it says."""

from argparse import Namespace
from collections.abc import Iterator, Mapping, Sequence

from services.cli.shared.find_record import find_record
from services.cli.shared.json_lines import print_json_lines
from services.cli.shared.stored_data import open_stored_data
from services.cli.shared.tables import format_day, format_utc
from services.runtime.strict_yaml import read_yaml
from services.safety_rules.adapters.criteria_files import load_table
from services.safety_rules.adapters.rules_version import find_table
from services.store import journal, protocols, records
from services.store.participant_order import find_families
from services.store.session import Connection
from services.vocabulary.clinical_fact import Administration, Observation
from services.vocabulary.episode import Change, Episode, EpisodeContent
from services.vocabulary.fact import Fact
from services.vocabulary.judgement import Adjudication, Assessment
from services.vocabulary.quantity import Quantity


def perform(args: Namespace) -> int:
    """Print one record with its evidence."""
    data = open_stored_data(args)
    with data.db.read() as conn:
        record = find_record(records.load_latest_episodes(conn), args.record)
        versions = records.load_episode_versions(conn, episode_id=record.id)
        (family,) = find_families(conn, [versions[-1].content.participant])
        facts = {
            known.fact.id: known.fact
            for subject in family
            for known in journal.load_facts_between(conn, subject, 0)
        }
        wording = _find_wording(conn, data.study_id, record.content)
    if args.json:
        print_json_lines([_as_json(versions, facts, wording)])
    else:
        print("\n".join(explain_record(versions, facts, wording)))
    return 0


def _as_json(
    versions: Sequence[Episode], facts: Mapping[str, Fact], wording: str
) -> dict[str, object]:
    """Return the record with its versions, its wording and the facts that it rests on."""
    content = versions[-1].content
    ids = {*content.adjudications, *(fact for change in content.history for fact in change.facts)}
    return {
        "record": versions[-1],
        "wording": wording,
        "versions": versions,
        "facts": [facts[fact_id] for fact_id in sorted(ids & facts.keys())],
    }


def explain_record(
    versions: Sequence[Episode], facts: Mapping[str, Fact], wording: str
) -> Iterator[str]:
    """Yield, line by line, what the record says and why."""
    episode = versions[-1]
    content = episode.content
    yield f"{content.term}  ({content.criterion})"
    yield f"record {episode.id}, version {episode.version}, {episode.state}"
    yield (
        f"{content.participant}: worst grade {content.worst}, transplant day"
        f" {format_day(content.transplant_day)}, treatment day {format_day(content.treatment_day)}"
    )
    resolution = (
        f"resolved {format_utc(content.resolved_at)}" if content.resolved_at else "not resolved"
    )
    yield f"onset {format_utc(content.onset_at)} UTC, {resolution}"
    yield f"grade before exposure {content.baseline_grade:d}: only what is above it counts"
    yield f"windows: {', '.join(content.windows) or 'none'}"
    for name, words in (
        ("provisional", "its evidence is not final" if content.provisional else ""),
        ("possible", "no reading is certain" if content.possible else ""),
        ("before exposure", "in no rule" if content.before_exposure else ""),
        (
            "outside inducer window",
            "no cause of it acted when its signs were seen"
            if content.outside_inducer_window
            else "",
        ),
        ("could also be", ", ".join(content.confounders)),
        ("serious", ", ".join(content.serious)),
        ("attributed to", content.attribution),
        ("part of", content.linked_to),
    ):
        if words:
            yield f"{name}: {words}"
    for scale, span in sorted((content.other_scales or {}).items()):
        yield f"on {scale}: {span}"
    if wording:
        yield f"published, grade {content.worst.at_least:d}: {wording}"
    yield ""
    for change in content.history:
        yield from _explain_change(change, facts, content.participant)
    yield from _explain_adjudications(content.adjudications, facts)
    yield ""
    for version in versions:
        yield (
            f"version {version.version}, {format_utc(version.recorded_at)} UTC: {version.cause},"
            f" grade {version.content.worst}, rules {version.rules_version}"
        )


def _find_wording(conn: Connection, study_id: str, content: EpisodeContent) -> str:
    """Return the published words of the record's worst grade; empty when there are none.

    Raises:
        UntrustedFileError: The criteria that the study runs by cannot be trusted.
    """
    protocol = protocols.load_protocol_versions(conn, study_id)[-1]
    name = find_table(read_yaml(protocol.content, f"protocol {protocol.version}"))
    term = load_table(name).terms.get(content.criterion.removeprefix(f"{name}."))
    return term.says.get(content.worst.at_least, "") if term else ""


def _explain_change(change: Change, facts: Mapping[str, Fact], participant: str) -> Iterator[str]:
    missing = f" (missing: {', '.join(change.missing)})" if change.missing else ""
    yield f"{format_utc(change.at)} UTC  grade {change.span}: {change.because}{missing}"
    for fact_id in change.facts:
        if fact_id in facts:
            fact = facts[fact_id]
            origin = "" if fact.subject == participant else f", sent about {fact.subject}"
            yield f"    {_describe_fact(fact)}{origin}"


def _describe_fact(fact: Fact) -> str:
    body = fact.body
    when = f"{format_utc(fact.observed_at)} UTC, {fact.status.name.lower()}, fact {fact.id[:8]}"
    match body:
        case Observation():
            value = _describe_quantity(body.value) if body.value else body.text
            limits = (
                f" (normal {_describe_limit(body.lln)} to {_describe_limit(body.uln)})"
                if body.lln or body.uln
                else ""
            )
            return f"{body.measure} {value}{limits}, {when}"
        case Administration():
            return (
                f"{body.drug} {body.action} {_describe_quantity(body.dose)}".rstrip() + f", {when}"
            )
        case Assessment():
            return f"assessed grade {body.grade} by {body.by}, {when}"
    return f"{body.kind}, {when}"


def _explain_adjudications(ids: tuple[str, ...], facts: Mapping[str, Fact]) -> Iterator[str]:
    for fact_id in ids:
        body = facts[fact_id].body if fact_id in facts else None
        if isinstance(body, Adjudication):
            yield f"{body.verdict} by {body.by}, {format_utc(body.signed_at)} UTC: {body.reason}"


def _describe_quantity(quantity: Quantity | None) -> str:
    if quantity is None:
        return ""
    return f"{quantity.censoring or ''}{quantity.value} {quantity.unit or '(no unit)'}"


def _describe_limit(quantity: Quantity | None) -> str:
    return "?" if quantity is None else str(quantity.value)
