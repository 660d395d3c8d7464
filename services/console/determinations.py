"""The determinations of one rule, each with the signature of the person who gave it."""

from dataclasses import dataclass
from datetime import datetime

from services.store import journal
from services.store.acts import ActFilter, load_acts
from services.store.session import Connection
from services.vocabulary.act import Act, ActKind
from services.vocabulary.judgement import Determination


@dataclass(frozen=True, slots=True)
class SignedDetermination:
    """An answer of the DSMB, when it was given, and the act that was written with it.

    *act* is None where the answer has no signature: it came as a fact, or before acts were kept.
    """

    said_at: datetime
    answer: Determination
    act: Act | None


def load_determinations(conn: Connection, study: str, rule: str) -> list[SignedDetermination]:
    """Return every determination of *rule*, the newest first: a later one replaces none."""
    acts = load_acts(conn, ActFilter(targets=[rule], kinds=[ActKind.DETERMINE]))
    act_by_signature = {(act.acted_at, act.actor.name, act.new_value): act for act in acts}
    return [
        SignedDetermination(
            entry.received_at,
            body,
            act_by_signature.get((entry.received_at, body.by, str(body.answer))),
        )
        for entry in journal.load_facts_of_kind(conn, "determination", study)
        if isinstance(body := entry.fact.body, Determination) and body.rule == rule
    ][::-1]
