"""Signatures: the person gives the password again, and what they saw is what is signed."""

import re
from collections.abc import Callable
from dataclasses import replace
from typing import TypeVar

from services.acts.refusal import ActRefusedError, ChangedSinceSeenError
from services.console.visit import NotFoundError, Visit
from services.people.rights import find_acting_role, find_verdict_role
from services.people.sign_in import Proof, Refusal
from services.vocabulary.act import ActKind
from services.vocabulary.judgement import Verdict
from services.vocabulary.person import Actor, Role, SignedBy
from services.vocabulary.reason import trim_reason

Outcome = TypeVar("Outcome")


class UnsignedError(Exception):
    """Nothing is signed; *status* is that of the page that says so."""

    def __init__(self, problem: str, status: int) -> None:
        """Keep the *problem* as the message."""
        super().__init__(problem)
        self.status = status


def find_actor(visit: Visit, kind: ActKind) -> Actor:
    """Return the visitor in the role that may do an act of *kind*.

    Raises:
        NotFoundError: None of their roles may: for them there is no such act.
    """
    return _act_as(visit, find_acting_role(visit.person, kind))


def find_adjudicator(visit: Visit, verdict: Verdict) -> Actor:
    """Return the visitor in the role that may give *verdict* about a record.

    Raises:
        NotFoundError: None of their roles may.
    """
    return _act_as(visit, find_verdict_role(visit.person, verdict))


def sign_as(visit: Visit, actor: Actor) -> Actor:
    """Return *actor* once the password of the form is theirs, or the provider has asked them.

    Raises:
        UnsignedError: It is not, or the reason says nothing: then it is not even tried.
    """
    if not trim_reason(visit.read_field("reason")):
        raise UnsignedError("Nothing is signed: say why, the reason is kept.", 400)
    return prove(visit, actor)


def prove(visit: Visit, actor: Actor) -> Actor:
    """Return *actor* once the password of the form is theirs, or the provider has asked them.

    Raises:
        UnsignedError: It is not.
    """
    if not visit.read_field("password") and visit.signature:
        if visit.context.sessions.take_signature(visit.signature, actor.id):
            return replace(actor, signed_by=SignedBy.PROVIDER)
        raise UnsignedError("Nothing is signed: what your provider said is too old.", 403)
    proof = Proof(actor.id, visit.read_field("password"), visit.read_field("code").strip())
    outcome = visit.check_proof(proof)
    if isinstance(outcome, Refusal):
        raise UnsignedError(f"Nothing is signed: {outcome.reason}.", 403)
    return replace(actor, signed_by=SignedBy.PASSWORD)


def read_seen_hash(visit: Visit) -> str:
    """Return the hash of what was shown, as the form repeats it.

    Raises:
        UnsignedError: It has no whole one: what is signed has to be looked at first.
    """
    seen_hash = visit.read_field("seen")
    if not re.fullmatch("[0-9a-f]{64}", seen_hash):
        raise UnsignedError("Nothing is signed: look at it first.", 409)
    return seen_hash


def perform_act(act: Callable[[], Outcome]) -> Outcome:
    """Return the outcome of *act*.

    Raises:
        UnsignedError: It was refused; what it is about may have changed since it was shown.
    """
    try:
        return act()
    except ChangedSinceSeenError as error:
        raise UnsignedError(f"Nothing is signed: {error}.", 409) from error
    except ActRefusedError as error:
        raise UnsignedError(f"Nothing is done: {error}.", 400) from error


def _act_as(visit: Visit, role: Role | None) -> Actor:
    if role is None:
        raise NotFoundError
    return Actor(visit.person.id, visit.person.name, role)
