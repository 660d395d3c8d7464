"""The activation of a study's files: from then on every process runs by them."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from services.acts.append_act import Subject, Values, append_act, require_reason
from services.acts.refusal import ActRefusedError
from services.acts.study_files import (
    ActiveStudy,
    diff_files,
    load_active_study,
    read_study_files,
)
from services.alerts.adapters.study_recipients import find_recipients
from services.ingest.adapters.code_tables import load_code_tables
from services.ingest.adapters.study_sites import load_sites
from services.people.machine import MACHINE
from services.runtime.canonical_json import digest_canonical
from services.runtime.clock import now_utc
from services.runtime.recipients_file import RECIPIENTS, list_person_ids
from services.runtime.sites_file import SITES
from services.safety_rules.adapters.protocol_files import PROTOCOL
from services.safety_rules.adapters.study_rules import StudyRules, load_rules
from services.store import journal, participants, people, protocols, study_files
from services.store.participants import Participant
from services.store.protocols import ProtocolVersion
from services.store.session import Connection, Database
from services.store.study_files import StudyActivation
from services.vocabulary.act import Act, ActKind, Meaning
from services.vocabulary.person import Actor

INITIAL = "initial: the first command on these data"  # the reason of the machine


@dataclass(frozen=True, slots=True)
class ActivationOutcome:
    """The act that was written, and the lines that differ; None: these files run already."""

    act: Act | None
    difference: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class CheckedStudy:
    """A folder of study files that were read and found right, with their texts by name."""

    rules: StudyRules
    contents: Mapping[str, str]


def check_study(folder: Path) -> CheckedStudy:
    """Return the study in *folder*, once each of its files can be run by.

    Raises:
        UntrustedFileError: One cannot be trusted; says which and where.
    """
    rules = load_rules(folder)
    if (folder / SITES).exists():
        load_sites(folder, load_code_tables())
    find_recipients(folder)
    return CheckedStudy(rules, read_study_files(folder))


def activate_study(
    db: Database, actor: Actor, study: str, folder: Path, reason: str
) -> ActivationOutcome:
    """Let *study* run by the files in *folder*, in every process, from now on.

    Raises:
        ActRefusedError: They are of another study, change the protocol under the version of an
            earlier one, or tell somebody new who is not there, or the reason is blank.
        UntrustedFileError: A file cannot be trusted; nothing is activated.
    """
    require_reason(reason)
    checked_study = check_study(folder)
    protocol = checked_study.rules.rules.protocol
    if protocol.study != study:
        raise ActRefusedError(
            f"{folder} is the study {protocol.study}, and the data are of {study}"
        )
    with db.write() as conn:
        study_files.lock_activations(conn)
        active_study = load_active_study(conn, study)
        current_contents = active_study.contents if active_study else {}
        difference = tuple(diff_files(current_contents, checked_study.contents))
        if active_study and not difference:
            return ActivationOutcome(None, ())
        _require_own_version(conn, study, protocol.version, checked_study.contents[PROTOCOL])
        _require_people(conn, current_contents, checked_study.contents)
        act = _append_activation(conn, actor, checked_study, active_study, reason)
    return ActivationOutcome(act, difference)


def _require_own_version(conn: Connection, study: str, version: str, content: str) -> None:
    """Require that no other file ran as *version*: by it mails, decisions and charts name rules.

    Raises:
        ActRefusedError: One did.
    """
    versions = [
        one for one in protocols.load_protocol_versions(conn, study) if one.version == version
    ]
    if versions and study_files.hash_content(content) not in {one.sha256 for one in versions}:
        raise ActRefusedError(
            f"{PROTOCOL} is not the protocol v{version} that ran: nothing is activated; give it a"
            " `version` of its own, by which mails and decisions name it"
        )


def _require_people(
    conn: Connection, current_contents: Mapping[str, str], contents: Mapping[str, str]
) -> None:
    """Require that the recipients who are new in *contents* are there, once anybody is.

    Raises:
        ActRefusedError: One is not.
    """
    if RECIPIENTS not in contents or not people.has_people(conn):
        return
    new_ids = list_person_ids(contents[RECIPIENTS])
    if RECIPIENTS in current_contents:  # of whom ran before without a person, processes warn
        new_ids -= list_person_ids(current_contents[RECIPIENTS])
    known_ids = {one.person.id for one in people.load_people(conn, new_ids)}
    if missing_ids := sorted(new_ids - known_ids):
        raise ActRefusedError(
            f"{RECIPIENTS} names {', '.join(missing_ids)}, and nobody is called so: nothing is"
            f" activated; make the person first: aegis people add {missing_ids[0]} ..."
        )


def activate_initially(conn: Connection, rules: StudyRules, contents: Mapping[str, str]) -> None:
    """Let a study that has no files yet run by these, as an act of the machine."""
    _append_activation(conn, MACHINE, CheckedStudy(rules, contents), None, INITIAL)


def describe_files(rules: StudyRules, contents: Mapping[str, str]) -> str:
    """Return the version of the protocol, the criteria, and the names of the files."""
    protocol = rules.rules.protocol
    names = ", ".join(sorted(contents))
    return f"protocol v{protocol.version}, criteria {rules.table.name}: {names}"


def _append_activation(
    conn: Connection,
    actor: Actor,
    checked_study: CheckedStudy,
    active_study: ActiveStudy | None,
    reason: str,
) -> Act:
    rules, contents = checked_study.rules, checked_study.contents
    protocol = rules.rules.protocol
    hashes = {name: study_files.hash_content(content) for name, content in contents.items()}
    earlier_hashes = active_study.activation.files if active_study else {}
    names = [name for name in hashes if earlier_hashes.get(name) != hashes[name]]
    earlier_protocol = protocols.load_active_protocol(conn, protocol.study)
    act = append_act(
        conn,
        actor,
        ActKind.ACTIVATE_STUDY,
        Subject(protocol.study, seen_hash=digest_canonical(hashes)),
        Values(
            _describe_earlier(earlier_protocol, active_study),
            f"{describe_files(rules, contents)}; changed: {', '.join(names) or 'none'}",
        ),
        reason=reason,
        acted_at=now_utc(),
        meaning=Meaning.APPROVAL,
    )
    append_activation(conn, act, checked_study, active_study)
    return act


def append_activation(
    conn: Connection, act: Act, checked_study: CheckedStudy, active_study: ActiveStudy | None
) -> None:
    """Let *checked_study* run, because of *act*; *active_study* ran before."""
    rules, contents = checked_study.rules, checked_study.contents
    protocol, activated_at = rules.rules.protocol, act.acted_at
    if active_study:  # a clock that was set back: the last that was activated runs
        activated_at = journal.compute_known_at(active_study.activation.activated_at, activated_at)
    _keep_protocol(conn, rules, contents[PROTOCOL], activated_at, act.actor)
    activation = StudyActivation(
        act.id,
        protocol.study,
        activated_at,
        act.id,
        {name: study_files.hash_content(content) for name, content in contents.items()},
        rules.table.name,
        rules.rules.version,
    )
    study_files.append_activation(conn, activation, contents, act.actor.id)


def _describe_earlier(protocol: ProtocolVersion | None, active_study: ActiveStudy | None) -> str:
    if protocol is None:
        return ""
    criteria = f", criteria {active_study.activation.criteria}" if active_study else ""
    return f"protocol v{protocol.version}{criteria}, sha256 {protocol.sha256[:12]}"


def _keep_protocol(
    conn: Connection, rules: StudyRules, content: str, activated_at: datetime, actor: Actor
) -> None:
    """Keep the protocol for those who read it by its hash; the study has a journal of its own."""
    protocol = rules.rules.protocol
    if participants.load_participant(conn, protocol.study) is None:
        study_itself = Participant(protocol.study, protocol.study, "")
        participants.add_participants(conn, [study_itself], activated_at)
    version = ProtocolVersion(
        protocol.sha256, protocol.study, protocol.version, activated_at, content
    )
    protocols.keep_protocol(conn, version, actor=actor.id)
