"""The signature of a protocol: a statistician approves the file by which the study runs."""

from dataclasses import replace

from services.acts.append_act import Subject, Values, append_act
from services.acts.protocol_signers import describe_signature, load_signatures, load_signers
from services.acts.refusal import ActRefusedError, ChangedSinceSeenError
from services.runtime.clock import now_utc
from services.safety_rules.adapters.study_rules import StudyRules
from services.store import journal, protocols, study_files
from services.store.session import Connection, Database
from services.vocabulary.act import Act, ActKind, Meaning
from services.vocabulary.person import Actor


def sign_protocol(
    db: Database, actor: Actor, study: str, reason: str, *, seen_hash: str = ""
) -> Act:
    """Sign the protocol by which *study* runs.

    Args:
        db: Migrated.
        actor: Who has given their password again.
        study: Id.
        reason: Never blank.
        seen_hash: sha256 of the file as the person saw it, or how it begins; empty: not bound.

    Raises:
        ActRefusedError: None runs, or the same person has signed it.
        ChangedSinceSeenError: Another one runs.
    """
    with db.write() as conn:
        study_files.lock_activations(conn)
        protocol = protocols.load_active_protocol(conn, study)
        if protocol is None:
            raise ActRefusedError(f"{study} runs by no protocol yet: nothing is signed")
        if not protocol.sha256.startswith(seen_hash):
            raise ChangedSinceSeenError(
                f"another protocol of {study} runs since it was shown: nothing is signed"
            )
        earlier_acts = load_signatures(conn, protocol.sha256)
        if actor.id in {act.actor.id for act in earlier_acts}:
            raise ActRefusedError(f"{actor.name} has signed this protocol: nothing is signed again")
        act = append_act(
            conn,
            actor,
            ActKind.SIGN_PROTOCOL,
            Subject(study, seen_hash=protocol.sha256),
            Values("; ".join(map(describe_signature, earlier_acts)), f"v{protocol.version} signed"),
            reason=reason,
            acted_at=now_utc(),
            meaning=Meaning.APPROVAL,
        )
        _append_change(conn, study, act)
    return act


def sign_rules(study: StudyRules, db: Database) -> StudyRules:
    """Return *study* with the signatures of its protocol that are in *db*, which is migrated."""
    with db.read() as conn:
        signers = load_signers(conn, study.rules.protocol.sha256)
    protocol = replace(study.rules.protocol, signed_by=signers)
    return replace(
        study,
        rules=replace(study.rules, protocol=protocol),
        study=replace(study.study, protocol=protocol),
    )


def _append_change(conn: Connection, study: str, act: Act) -> None:
    """Let every process take what *act* changed beside the files of *study*, which stay."""
    activations = study_files.load_activations(conn, study)
    if activations:
        newest_activation = activations[-1]
        acted_at = journal.compute_known_at(newest_activation.activated_at, act.acted_at)
        change = replace(newest_activation, id=act.id, act=act.id, activated_at=acted_at)
        study_files.append_activation(conn, change, {}, act.actor.id)
