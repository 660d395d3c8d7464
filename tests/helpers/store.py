"""A store for tests: messages and records of every kind, in a database of its own."""

from dataclasses import replace
from pathlib import Path

from services.store import schema, tables
from services.store.acts import append_act
from services.store.alert_acts import (
    AlertActKind,
    AlertActRow,
    LinkRevocationRow,
    append_alert_act,
    append_link_revocation,
)
from services.store.alert_states import AlertStateRow, replace_alert_states
from services.store.alerts import (
    AcknowledgementRow,
    DeliveryRow,
    add_deliveries,
    append_acknowledgement,
    upsert_alerts,
)
from services.store.api_keys import add_api_key, hash_api_key, record_api_key_use
from services.store.audit import insert_audited
from services.store.credentials import Credential, put_credential
from services.store.decisions import StudyState, advance_study, append_decision
from services.store.installation_keys import (
    InstallationKey,
    load_keys,
    register_files,
    register_keys,
)
from services.store.journal import Arrival, ParkedRow, RawMessage, append_arrivals
from services.store.key_files import make_key_id
from services.store.leases import acquire_lease
from services.store.participant_advice import replace_advice
from services.store.participant_queries import QueriesRow, replace_queries
from services.store.participants import Identifier, Participant, add_participants, link_identifiers
from services.store.people import StoredPerson, add_person
from services.store.protocols import ProtocolVersion, keep_protocol
from services.store.records import (
    StandingRow,
    append_episodes,
    append_standings,
)
from services.store.refusals import RefusalRow, add_refusals
from services.store.sae_clocks import (
    ClockRow,
    SeriousnessRow,
    add_clock,
    append_seriousness,
)
from services.store.seal_chain import seal_audit_rows
from services.store.session import Database
from services.store.sign_in_attempts import Attempt, AttemptOutcome, append_attempt
from services.store.sign_ins import SignIn, Use, add_sign_in
from services.store.states import StateRow, advance
from services.store.study_files import StudyActivation, append_activation, hash_content
from services.store.timers import set_timers
from services.store.vault import Keys, Purpose, hash_identifier
from services.vocabulary.act import Act, ActKind, Meaning
from services.vocabulary.alert import Alert, AlertKind, Level
from services.vocabulary.decision import (
    Contributor,
    Decision,
    PathPoint,
    Sensitivity,
    Signal,
)
from services.vocabulary.episode import Change, Episode, EpisodeContent, Span
from services.vocabulary.grade import Grade
from services.vocabulary.person import Actor, Person, Role, SignedBy
from services.vocabulary.protocol import BoundaryStep
from services.vocabulary.recommendation import AdvicePeriod
from services.vocabulary.standing import CompetingEvent, CountedEvent, Standing
from tests.helpers.fact_notes import HOUR_ZERO, hours, lab


def new_database(folder):
    """A migrated database and its keys, under *folder*."""
    db = Database.open(f"sqlite:///{folder}/data/aegis.db")
    schema.upgrade(db)
    return db, registered_keys(db, Path(folder) / "keys")


def registered_keys(db, folder):
    """Return the keys in *folder*, which are those of *db*; missing ones are made."""
    keys = Keys.load_or_create(folder)
    with db.write() as conn:
        if not load_keys(conn):
            register_files(conn, keys, HOUR_ZERO)
    return keys


def message(name, received_at=HOUR_ZERO, **fields):
    """A raw message *name*, received at *received_at*."""
    content = {
        "site": "S1",
        "sender": "LAB|S1",
        "control_id": f"c-{name}",
        "sha256": "0" * 64,
        "source": "mllp",
        "clock": "wall",
        "body": b"MSH|^~\\&|" + name.encode(),
    }
    return RawMessage(id=name, received_at=received_at, **(content | fields))


def arrival(name, received_at=HOUR_ZERO, subjects=("P-001",), parked=()):
    """A message with one laboratory value about each of *subjects*."""
    facts = tuple(
        lab("alt", "30", received_at, "U/L", name=f"{name}-{n}", subject=subject)
        for n, subject in enumerate(subjects)
    )
    return Arrival(message(name, received_at), facts, tuple(parked))


def parked_row(name, message_id="m1", received_at=HOUR_ZERO):
    """A parked item of message *message_id*."""
    return ParkedRow(name, message_id, "OBX[3].6", "unknown_unit", "furlongs", "S1", received_at)


SPAN = Span(Grade.SEVERE, Grade.SEVERE)

CONTENT = EpisodeContent(
    participant="P-001",
    criterion="ctcae-5.0.anemia",
    term="Anemia",
    onset_at=HOUR_ZERO,
    history=(Change(HOUR_ZERO, SPAN, "Hgb <8.0 g/dL", facts=("f1",)),),
    worst=SPAN,
    current=Span(Grade.MODERATE, Grade.LIFE_THREATENING),
    other_scales={"ctcae-6.0": SPAN},
)

EPISODE = Episode("e1", 1, CONTENT, 1, HOUR_ZERO, "rules-1", "new")

STANDING = Standing(
    "P-001",
    "T.S1",
    exposed_at=HOUR_ZERO,
    window_ends_at=hours(2400),
    event=CountedEvent(HOUR_ZERO, "ctcae-5.0.anemia@2026-03-01T08:00:00+00:00", 3, confirmed=False),
    competing=CompetingEvent(hours(5), "relapse"),
)

DECISION = Decision(
    study="T",
    rule="T.S1",
    title="Severe CRS",
    signal=Signal.CONTINUE,
    data_to=HOUR_ZERO,
    as_of=hours(1),
    events=1,
    confirmed=0,
    upper=1,
    evaluable=2,
    not_exposed=0,
    beyond_plan=0,
    complete=1,
    pending=1,
    ess=1.5,
    boundary=2,
    events_left=1,
    free_until_rise=None,
    crossed_since=None,
    certain=False,
    possible=True,
    p_cross_p0=0.1,
    p_cross_posterior=0.2,
    predictive=0.25,
    posterior=(0.1, 0.01, 0.3),
    confirmed_crossed=False,
    upper_crossed=False,
    path=(PathPoint(HOUR_ZERO, 1.0, 1, 2, crossed=False),),
    pending_weights=(0.5,),
    sensitivity=(Sensitivity("linear", 1.4, 1, 2, crossed=False),),
    contributors=(Contributor("P-001", 3, confirmed=False, transplant_day=78, treatment_day=4),),
    steps=(BoundaryStep(2, 1, 5),),
    n=30,
    recommend="pause enrolment",
    tell=("dsmb",),
    acknowledge_within_s=3600,
    protocol="protocol v1 DRAFT",
    cut={"P-001": 1},
)

ALERT = Alert(
    id="a1",
    level=Level.PARTICIPANT,
    kind=AlertKind.EPISODE,
    study="T",
    about="e1",
    participant="P-001",
    grade=3,
    roles=("safety-officer", "site"),
    escalate_to=("dsmb",),
    acknowledge_within_s=3600,
    opened_at=HOUR_ZERO,
    detail=CONTENT,
)

REFUSAL = RefusalRow("r1", HOUR_ZERO, "S1", "LAB|S1", "7", "mllp", "MSH-11", "not production")
DELIVERY = DeliveryRow(
    "d1", "a1", "safety-officer", "anna", "email", "first", 3, HOUR_ZERO, "waiting", 0, HOUR_ZERO
)

ACT = Act(
    "x1",
    HOUR_ZERO,
    Actor("kim", "Kim Lee, MD", Role.SAFETY_OFFICER, SignedBy.PASSWORD),
    ActKind.ADJUDICATE,
    "e1",
    "seen in the chart",
    "P-001",
    "0" * 64,
    Meaning.REVIEW,
    "suspected, worst grade 3",
    "confirm",
)


def fill(conn, keys):
    """Write at least two rows to every table, and seal the audit trail twice."""
    participants = [Participant(f"P-00{n}", "T", "S1") for n in (1, 2, 3)]
    add_participants(conn, participants, HOUR_ZERO)
    for number in (1, 2):
        identifier_hash = hash_identifier(keys, "S1", "MR", str(number))
        identifier = Identifier(identifier_hash, f"P-00{number}", "S1")
        link_identifiers(conn, [identifier], instant=HOUR_ZERO)
        add_api_key(conn, f"secret-{number}", "S1", HOUR_ZERO, actor="operator")
        record_api_key_use(conn, hash_api_key(f"secret-{number}"), HOUR_ZERO)
    append_arrivals(
        conn,
        keys,
        [
            arrival(
                "m1", HOUR_ZERO, ("P-001", "P-002", "P-001"), [parked_row("p1"), parked_row("p2")]
            ),
            arrival("m2", hours(1), ("P-002",)),
        ],
    )
    ids = [make_key_id(bytes([number]) * 32) for number in range(2)]
    register_keys(
        conn, [InstallationKey(one, Purpose.ENCRYPTION, f"{one}.key", hours(-1)) for one in ids]
    )
    for subject in ("P-001", "P-002"):
        state = StateRow(subject)
        assert advance(conn, state, replace(state, folded_through=1, rules_version="rules-1"))
        set_timers(conn, {subject: {"fever-free": hours(24)}})
        replace_advice(conn, {subject: AdvicePeriod(HOUR_ZERO, ())})
        replace_queries(conn, [QueriesRow(subject, 1, "rules-1", ())])
    add_refusals(conn, [REFUSAL, REFUSAL, replace(REFUSAL, id="r2", site="")])
    aliases = [{"version": f"hashed-{n}", "stands_for": "rules-1"} for n in (1, 2)]
    insert_audited(conn, tables.rules_alias, aliases)
    milestones = [{"subject": who, "survivor": "P-001"} for who in ("P-001", "P-002")]
    insert_audited(conn, tables.participant_milestones, milestones)
    places = [{"subject": "P-001", "fact": name, "is_promoted": False} for name in "ab"]
    insert_audited(conn, tables.fact_place, places)
    append_episodes(conn, [EPISODE, replace(EPISODE, version=2, cause="changed")])
    fill_study(conn)
    fill_people(conn)
    while seal_audit_rows(conn, keys, hours(2)):
        pass
    add_participants(conn, [Participant("P-004", "T", "S1")], HOUR_ZERO)
    seal_audit_rows(conn, keys, hours(3))


def fill_alert_life(conn):
    """Write at least two rows to every table of what persons do about alerts and clocks."""
    for number in ("1", "2"):
        append_alert_act(
            conn,
            AlertActRow(
                f"s{number}", "a1", AlertActKind.SNOOZE, "anna", "called", HOUR_ZERO, 3,
                ends_at=hours(9),
            ),
        )  # fmt: skip
        state = AlertStateRow(f"a{number}", "open", ("anna",), HOUR_ZERO)
        replace_alert_states(conn, [state])
        append_link_revocation(
            conn, LinkRevocationRow(f"v{number}", "anna", "", "admin", "left", HOUR_ZERO)
        )
        append_seriousness(
            conn, SeriousnessRow(f"z{number}", "e1", "P-001", True, "anna", "icu", HOUR_ZERO)
        )
        add_clock(
            conn,
            ClockRow(
                f"c{number}", "e1", "P-001", "24h", HOUR_ZERO, hours(24), "anna", "icu", HOUR_ZERO
            ),
        )


def fill_study(conn):
    """Write at least two rows to every table of the study step and of the alerts."""
    append_standings(
        conn,
        [
            StandingRow(STANDING, HOUR_ZERO, 1),
            StandingRow(replace(STANDING, participant="P-002"), hours(1), 2),
        ],
    )
    for study in ("T", "U"):
        assert advance_study(conn, StudyState(study, 0), {"P-001": 1})
        keep_protocol(conn, ProtocolVersion(study * 64, study, "1", HOUR_ZERO, "study: T"))
        append_decision(conn, replace(DECISION, study=study), hours(1))
    upsert_alerts(conn, [ALERT, replace(ALERT, id="a2")])
    add_deliveries(conn, [DELIVERY, replace(DELIVERY, id="d2")])
    for name in ("k1", "k2"):
        append_acknowledgement(conn, AcknowledgementRow(name, "a1", "anna", "seen", HOUR_ZERO, 3))
    for name in ("x1", "x2"):
        append_act(conn, replace(ACT, id=name))
        files = {"protocol.yaml": f"study: T # {name}"}
        activation = StudyActivation(name, "T", HOUR_ZERO, name, {}, "ctcae-5.0", "rules-1")
        hashes = {key: hash_content(content) for key, content in files.items()}
        append_activation(conn, replace(activation, files=hashes), files, ACT.actor.id)
    fill_alert_life(conn)
    for name in ("rules", "sealer"):
        assert acquire_lease(conn, name, "worker-1", HOUR_ZERO, 30)


def fill_people(conn):
    """Write at least two rows to every table of persons."""
    for name in ("ann", "ben"):
        roles = frozenset({Role.SAFETY_OFFICER, Role.DSMB_CHAIR})
        person = Person(name, name.title(), f"{name}@example.org", roles, "S1")
        stored_person = StoredPerson(person, HOUR_ZERO, HOUR_ZERO, hours(9_000), hours(8_000))
        add_person(conn, stored_person, actor="ann")
        credential = Credential(name, "argon2", HOUR_ZERO, f"provider|{name}", "hidden")
        put_credential(conn, credential, actor="ann")
        add_sign_in(conn, SignIn(name, name, Use.BROWSER, HOUR_ZERO, hours(1), hours(8), hours(2)))
        append_attempt(conn, Attempt(name, "10.0.0.1", HOUR_ZERO, AttemptOutcome.START))
