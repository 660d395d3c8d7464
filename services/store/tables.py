"""The one schema: every table of Aegis, as the newest migration leaves it."""

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    String,
    Table,
    Text,
    UniqueConstraint,
    text,
)

from services.store.types import Instant

metadata = MetaData(
    naming_convention={
        "pk": "pk_%(table_name)s",
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
    }
)

_COUNTER = BigInteger().with_variant(Integer, "sqlite")  # only INTEGER counts by itself on SQLite


def _text(name: str, *, primary_key: bool = False) -> Column[str]:
    return Column(name, Text, primary_key=primary_key, nullable=False)


def _integer(name: str, *, primary_key: bool = False) -> Column[int]:
    return Column(name, BigInteger, primary_key=primary_key, nullable=False, autoincrement=False)


# ingest writes

raw_message = Table(
    "raw_message",
    metadata,
    _text("id", primary_key=True),
    Column("received_at", Instant, nullable=False),
    _text("site"),
    _text("sender"),
    _text("control_id"),
    _text("sha256"),
    _text("source"),
    _text("clock"),
    _text("key_id"),
    Column("body", LargeBinary, nullable=False),  # nonce and ciphertext
    Index(None, "sender", "control_id"),
)

parked = Table(
    "parked",
    metadata,
    _text("id", primary_key=True),
    _text("message"),
    _text("path"),
    _text("reason"),
    _text("detail"),
    _text("site"),
    Column("parked_at", Instant, nullable=False),
    _text("resolution"),  # empty while open
    Column("resolved_at", Instant),
    _text("resolved_by"),
    _text("comment"),
    Column("hidden_detail", Text),  # with the sender's words, encrypted; null: there are none
    Index(None, "message"),
    Index(None, "resolution", "parked_at"),
)

refused_message = Table(
    "refused_message",
    metadata,
    _text("id", primary_key=True),
    Column("refused_at", Instant, nullable=False),
    _text("site"),  # empty when the sender is not known
    _text("sender"),
    _text("control_id"),
    _text("source"),
    _text("location"),
    _text("problem"),
    Column("hidden_words", Text),  # sender, MSH-10 and problem, as the sender wrote them; encrypted
    Index(None, "refused_at"),
)

identity = Table(
    "identity",
    metadata,
    _text("hash", primary_key=True),
    _text("subject"),
    _text("site"),
    _text("key_id"),
    Column("linked_at", Instant, nullable=False),
    Index(None, "subject"),
)

participant = Table(
    "participant",
    metadata,
    _text("subject", primary_key=True),
    _text("study"),
    _text("site"),
    Column("added_at", Instant, nullable=False),
    _integer("last_seq"),
    Column("last_received_at", Instant),
    Column("family", Text),  # least of those named together by merges; null: nobody else
    Column("told_until", Instant),  # by the rules: timers are applied that far
    Index(None, "study"),
    Index(None, "family"),
)

fact = Table(
    "fact",
    metadata,
    _text("subject", primary_key=True),
    _integer("seq", primary_key=True),
    _text("id"),
    _text("message"),
    Column("received_at", Instant, nullable=False),
    Column("observed_at", Instant, nullable=False),
    _text("kind"),
    _text("payload"),
    UniqueConstraint("id"),
    Index(None, "message"),
    Index(None, "subject", "observed_at"),
    Index(
        "ix_fact_rare_kind",
        "kind",
        "subject",
        postgresql_where=text("kind <> 'observation'"),
        sqlite_where=text("kind <> 'observation'"),
    ),
)

api_key = Table(
    "api_key",
    metadata,
    _text("hash", primary_key=True),
    _text("site"),
    Column("created_at", Instant, nullable=False),
    Column("revoked_at", Instant),
    Column("name", Text),  # none: from before keys had names
    Column("expires_at", Instant),
)

# written once an hour, by ingest, which may not change the keys themselves
api_key_use = Table(
    "api_key_use",
    metadata,
    _text("hash", primary_key=True),
    Column("used_at", Instant, nullable=False),
)

# a person writes

installation_key = Table(
    "installation_key",
    metadata,
    _text("id", primary_key=True),
    _text("purpose"),
    _text("file"),  # its name in the folder of the keys
    Column("added_at", Instant, nullable=False),
    Column("retired_at", Instant),
)

# ingest and the safety rules write, the relay deletes

outbox = Table(
    "outbox",
    metadata,
    Column("id", _COUNTER, primary_key=True),
    _text("topic"),
    _text("key"),
    _text("payload"),
    Column("at", Instant, nullable=False),
    sqlite_autoincrement=True,
)

# the safety rules write

participant_state = Table(
    "participant_state",
    metadata,
    _text("subject", primary_key=True),
    _integer("folded_through"),
    _integer("version"),
    _text("rules_version"),
    _text("digest"),
    Column("quarantined_seq", BigInteger),
    _text("error"),
)

participant_advice = Table(
    "participant_advice",
    metadata,
    _text("subject", primary_key=True),
    _text("payload"),
    Column("since", Instant),  # none: from before it was stored
)

participant_queries = Table(
    "participant_queries",
    metadata,
    _text("subject", primary_key=True),
    _integer("folded_through"),
    _text("rules_version"),
    _text("payload"),
)

# what views for people who watch are made of, on PostgreSQL

fact_place = Table(
    "fact_place",
    metadata,
    _text("subject", primary_key=True),
    _text("fact", primary_key=True),
    Column("participant", Text),  # to whose records it belongs; null: it does not stand
    Column("is_promoted", Boolean, nullable=False),
    Index(None, "participant"),
)

participant_milestones = Table(
    "participant_milestones",
    metadata,
    _text("subject", primary_key=True),
    _text("survivor"),  # to whose records the facts belong
    Column("graft_at", Instant),
    Column("first_infusion_at", Instant),
    Column("relapsed_at", Instant),
    Column("died_at", Instant),
)

episode = Table(
    "episode",
    metadata,
    _text("id", primary_key=True),
    _integer("version", primary_key=True),
    _text("subject"),
    _text("criterion"),
    _integer("seq"),
    Column("recorded_at", Instant, nullable=False),
    _text("rules_version"),
    _text("cause"),
    Column("retracted", Boolean, nullable=False),
    _text("merged_into"),
    _text("payload"),
    Index(None, "subject", "criterion"),
)

standing = Table(
    "standing",
    metadata,
    _text("subject", primary_key=True),
    _text("rule", primary_key=True),
    _integer("version", primary_key=True),
    Column("known_at", Instant, nullable=False),
    _integer("seq"),
    _text("payload"),
)

study_state = Table(
    "study_state",
    metadata,
    _text("study", primary_key=True),
    _integer("version"),
    _text("cut"),
)

protocol_version = Table(
    "protocol_version",
    metadata,
    _text("sha256", primary_key=True),
    _text("study"),
    _text("version"),
    Column("activated_at", Instant, nullable=False),
    _text("content"),
    Index(None, "study", "activated_at"),
)

decision = Table(
    "decision",
    metadata,
    _text("id", primary_key=True),
    _text("study"),
    _text("rule"),
    _integer("version"),
    Column("made_at", Instant, nullable=False),
    Column("known_at", Instant, nullable=False),
    _text("signal"),
    _text("payload"),
    UniqueConstraint("study", "rule", "version"),
)

alert = Table(
    "alert",
    metadata,
    _text("id", primary_key=True),
    _text("level"),
    _text("kind"),
    _text("study"),
    _text("about"),
    _text("participant"),
    _integer("grade"),
    _text("roles"),
    _text("escalate_to"),
    _integer("acknowledge_within_s"),
    Column("opened_at", Instant, nullable=False),
    _text("detail"),
    _text("protocol"),
    Column("retracted", Boolean, nullable=False),
    _text("closed"),
    Column("suspected", Boolean, nullable=False),
    Column("provisional", Boolean, nullable=False),
    _integer("version"),
    Index(None, "study"),
)

timer = Table(
    "timer",
    metadata,
    _text("owner", primary_key=True),
    _text("purpose", primary_key=True),
    Column("due_at", Instant, nullable=False),
    Index(None, "due_at"),
)

# alerts writes

delivery = Table(
    "delivery",
    metadata,
    _text("id", primary_key=True),
    _text("alert"),
    _text("role"),
    _text("recipient"),
    _text("channel"),
    _text("reason"),
    _integer("grade"),
    Column("recorded_at", Instant, nullable=False),
    _text("state"),
    _integer("attempts"),
    Column("next_attempt_at", Instant),
    Column("sent_at", Instant),
    _text("error"),
    Index(None, "alert"),
    Index(None, "state", "next_attempt_at"),
)

acknowledgement = Table(
    "acknowledgement",
    metadata,
    _text("id", primary_key=True),
    _text("alert"),
    _text("by"),
    _text("comment"),
    Column("at", Instant, nullable=False),
    _integer("grade"),
    Index(None, "alert"),
)

# a person writes

act = Table(
    "act",
    metadata,
    _text("id", primary_key=True),
    Column("at", Instant, nullable=False),
    _text("person"),  # or the name of a machine that acts as itself
    _text("name"),
    _text("role"),  # empty: a machine
    _text("kind"),
    _text("about"),
    _text("participant"),
    _text("seen"),  # sha256 of what was seen
    _text("meaning"),
    _text("old"),
    _text("new"),
    _text("reason"),
    _text("signed_by"),  # empty: not signed
    Index(None, "at"),
    Index(None, "about"),
    Index(None, "participant"),
)

study_file = Table(
    "study_file",
    metadata,
    _text("sha256", primary_key=True),
    _text("content"),
)

study_activation = Table(
    "study_activation",
    metadata,
    _text("id", primary_key=True),
    _text("study"),
    Column("activated_at", Instant, nullable=False),
    _text("act"),
    _text("files"),  # sha256 by name
    _text("criteria"),
    _text("rules_version"),
    Index(None, "study", "activated_at"),
)

alert_state = Table(
    "alert_state",
    metadata,
    _text("alert", primary_key=True),
    _text("state"),
    _text("missing_people"),  # JSON: who has to acknowledge and has not
    Column("changed_at", Instant, nullable=False),
)

# a person writes, by the command line or the console; alerts by a link

alert_act = Table(
    "alert_act",
    metadata,
    _text("id", primary_key=True),
    _text("alert"),
    _text("kind"),
    _text("person"),
    _text("reason"),
    Column("acted_at", Instant, nullable=False),
    _integer("grade"),
    _text("role"),  # that it is escalated to; empty of a snooze
    Column("ends_at", Instant),
    Index(None, "alert"),
)

link_revocation = Table(
    "link_revocation",
    metadata,
    _text("id", primary_key=True),
    _text("recipient"),
    _text("alert"),  # empty: of all
    _text("person"),
    _text("reason"),
    Column("revoked_at", Instant, nullable=False),
    Index(None, "recipient"),
)

seriousness = Table(
    "seriousness",
    metadata,
    _text("id", primary_key=True),
    _text("record"),
    _text("participant"),
    Column("is_serious", Boolean, nullable=False),
    _text("person"),
    _text("reason"),
    Column("decided_at", Instant, nullable=False),
    Index(None, "record"),
)

sae_clock = Table(
    "sae_clock",
    metadata,
    _text("id", primary_key=True),
    _text("record"),
    _text("participant"),
    _text("kind"),
    Column("aware_at", Instant, nullable=False),
    Column("due_at", Instant, nullable=False),
    _text("started_by"),
    _text("reason"),
    Column("started_at", Instant, nullable=False),
    Column("closed_at", Instant),
    _text("closed_by"),
    _text("closing_reason"),
    Index(None, "record"),
)

# alerts writes "sent", the safety rules "returned"

heartbeat = Table(
    "heartbeat",
    metadata,
    _text("name", primary_key=True),
    _integer("number"),
    Column("beaten_at", Instant, nullable=False),
)

# every service writes

lease = Table(
    "lease",
    metadata,
    _text("name", primary_key=True),
    _text("holder"),
    Column("since", Instant, nullable=False),
    Column("until", Instant, nullable=False),
)

audit = Table(
    "audit",
    metadata,
    Column("id", _COUNTER, primary_key=True),
    Column("at", Instant, nullable=False),
    _text("actor"),
    _text("action"),
    _text("place"),
    _text("key"),
    Column("sha256", String(64), nullable=False),  # empty: the row was deleted
    _text("detail"),
    Index(None, "place", "key"),
    sqlite_autoincrement=True,
)

audit_seal = Table(
    "audit_seal",
    metadata,
    _integer("upto", primary_key=True),
    _integer("since"),
    Column("hash", String(64), nullable=False),
    Column("previous", String(64), nullable=False),
    Column("sealed_at", Instant, nullable=False),
)

# persons who act, and how they prove who they are; the command line and the console write

person = Table(
    "person",
    metadata,
    _text("id", primary_key=True),
    _text("name"),  # as it stands on signatures
    _text("email"),
    _text("site"),  # empty: of no site
    Column("added_at", Instant, nullable=False),
    Column("active_from", Instant, nullable=False),
    Column("active_to", Instant),
    Column("ended_at", Instant),  # whatever a clock says since
)

person_role = Table(
    "person_role",
    metadata,
    _text("person", primary_key=True),
    _text("role", primary_key=True),
    Column("given_at", Instant, nullable=False),
)

credential = Table(
    "credential",
    metadata,
    _text("person", primary_key=True),
    _text("password_hash"),  # argon2id; empty: signs in at the provider only
    _text("provider_subject"),  # issuer and subject; empty: never signed in there
    Column("hidden_totp", Text),  # the secret of the second factor, encrypted; null: none
    _integer("totp_step"),  # of the last code that was taken: no code is taken twice
    Column("changed_at", Instant, nullable=False),
)

# of a browser or of a command line; the secret itself is never stored
sign_in = Table(
    "sign_in",
    metadata,
    _text("hash", primary_key=True),
    _text("person"),
    _text("use"),
    Column("began_at", Instant, nullable=False),
    Column("used_at", Instant, nullable=False),
    Column("expires_at", Instant, nullable=False),
    Column("ended_at", Instant),
    Index(None, "person"),
)

sign_in_attempt = Table(
    "sign_in_attempt",
    metadata,
    Column("id", _COUNTER, primary_key=True),
    _text("person"),  # empty: nobody is called so; what was typed may be a password
    _text("source"),
    Column("at", Instant, nullable=False),
    _text("outcome"),
    Index(None, "person", "id"),
    Index(None, "source", "id"),
    sqlite_autoincrement=True,
)

# a visit to the provider of an institution, from when a browser is sent there until it is back
provider_visit = Table(
    "provider_visit",
    metadata,
    _text("hash", primary_key=True),
    _text("purpose"),
    _text("person"),  # who signs; empty: somebody signs in
    _text("nonce"),
    _text("verifier"),
    _text("leads_to"),
    Column("began_at", Instant, nullable=False),
)

# a migration writes

rules_alias = Table(
    "rules_alias",
    metadata,
    _text("version", primary_key=True),
    _text("stands_for"),  # the name that the same rules have today
)
