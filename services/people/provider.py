"""Sign-in at the provider of an institution: OpenID Connect, code flow with PKCE.

A signature sends its person there again (``prompt=login``, ``max_age=0``), and is good only if they
proved who they are after it was asked for.

Source: OpenID Connect Core 1.0, 3.1; RFC 7636.
"""

import secrets
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from enum import StrEnum
from importlib import import_module
from typing import Any, Final

import httpx

from services.people.sessions import Session, begin_session, end_session, find_session
from services.people.sign_in import Refusal
from services.store import credentials, people, provider_visits
from services.store.people import StoredPerson
from services.store.provider_visits import ProviderVisit
from services.store.session import Connection, Database
from services.store.sign_ins import Use
from services.vocabulary.person import Person

_SCOPE: Final = "openid email profile"
_ALGORITHMS: Final = ("RS256", "PS256", "ES256", "EdDSA")  # none, and no shared secret
_TIMEOUT_S: Final = 10.0
_CLOCKS_APART: Final = timedelta(minutes=2)  # of this machine and the provider
_SIGNATURE_LIFE_S: Final = 300.0
_RANDOM_BYTES: Final = 32
_WHOLE_SECONDS: Final = 2  # to which the provider's times are cut


class Purpose(StrEnum):
    """The reason for which somebody is sent to the provider."""

    SIGN_IN = "sign in"
    SIGNATURE = "signature"


class ProviderError(Exception):
    """The provider does not answer, or not as it has to; passwords work none the less."""


@dataclass(frozen=True, slots=True)
class Provider:
    """A provider that the settings name.

    Attributes:
        issuer: Its address, without a slash at its end.
        client: The id that it knows this installation by.
        secret: Of the client; never shown.
        back: The address to which it sends browsers back.
    """

    issuer: str
    client: str
    secret: str = field(repr=False)
    back: str

    def load_metadata(self) -> Mapping[str, Any]:
        """Return the description that the provider publishes of itself.

        Raises:
            ProviderError: It does not answer, or is another than its address says.
        """
        metadata = _ask("GET", f"{self.issuer}/.well-known/openid-configuration")
        if str(metadata.get("issuer", "")).rstrip("/") != self.issuer:
            raise ProviderError("the provider calls itself by another address")
        return metadata


@dataclass(frozen=True, slots=True)
class Departure:
    """The address to which a browser is sent, and the state that it keeps until it is back."""

    address: str
    state: str

    def __repr__(self) -> str:
        """Without the state."""
        return "Departure(...)"


@dataclass(frozen=True, slots=True)
class ProviderReturn:
    """The end of a visit: the session that begins, and the page to go on with.

    The session of a signature is good for one act, for some minutes (`take_signature`).
    """

    session: Session
    purpose: Purpose
    leads_to: str


def begin_visit(
    db: Database, provider: Provider, instant: datetime, *, person: str = "", leads_to: str = "/"
) -> Departure:
    """Return the way of a browser to the provider.

    Args:
        db: Keeps the visit until the browser is back.
        provider: Where it is sent.
        instant: Now.
        person: Id of who signs; empty: somebody signs in.
        leads_to: The page to go on with.

    Raises:
        ProviderError: The provider does not answer.
    """
    grants = import_module("authlib.oauth2.rfc6749.parameters")
    challenges = import_module("authlib.oauth2.rfc7636.challenge")
    endpoint = _read_address(provider.load_metadata(), "authorization_endpoint")
    state, nonce, verifier = (secrets.token_urlsafe(_RANDOM_BYTES) for _ in range(3))
    purpose = Purpose.SIGNATURE if person else Purpose.SIGN_IN
    visit = ProviderVisit(purpose, person, nonce, verifier, leads_to, instant)
    with db.write() as conn:
        provider_visits.add_provider_visit(conn, state, visit)
    again = {"prompt": "login", "max_age": "0"} if person else {}
    address: str = grants.prepare_grant_uri(
        endpoint,
        provider.client,
        "code",
        redirect_uri=provider.back,
        scope=_SCOPE,
        state=state,
        nonce=nonce,
        code_challenge=challenges.create_s256_code_challenge(verifier),
        code_challenge_method="S256",
        **again,
    )
    return Departure(address, state)


def end_visit(
    db: Database, provider: Provider, instant: datetime, *, state: str, code: str, life_s: float
) -> ProviderReturn | Refusal:
    """Return the session of who is back from the provider, or why there is none.

    Raises:
        ProviderError: The provider does not answer, or its answer cannot be trusted.
    """
    with db.write() as conn:
        visit = provider_visits.take_provider_visit(conn, state, instant)
    if visit is None:
        return Refusal("the visit to the provider took too long: begin again")
    claims = _exchange_code(provider, visit, code, instant)
    with db.write() as conn:
        person = _find_person(conn, claims, instant)
        if person is None:
            return Refusal("nobody here is who the provider says, or they may not sign in now")
        purpose = Purpose(visit.purpose)
        if purpose is Purpose.SIGN_IN:
            session = begin_session(conn, person, Use.BROWSER, instant, life_s)
            return ProviderReturn(session, purpose, visit.leads_to)
        if person.id != visit.person or not _is_fresh(claims, visit, instant):
            return Refusal("nothing is signed: the provider did not ask its person again")
        session = begin_session(conn, person, Use.SIGNATURE, instant, _SIGNATURE_LIFE_S)
    return ProviderReturn(session, purpose, visit.leads_to)


def take_signature(conn: Connection, secret: str, person_id: str, instant: datetime) -> bool:
    """Use up the signature of *secret*; False: it is none of this person, or was used or is old."""
    session = find_session(conn, secret, Use.SIGNATURE, instant)
    if session is None or session.person.id != person_id:
        return False
    end_session(conn, session, instant)
    return True


def _exchange_code(
    provider: Provider, visit: ProviderVisit, code: str, instant: datetime
) -> Mapping[str, Any]:
    """Return the claims of the provider about who came back, each of them checked."""
    metadata = provider.load_metadata()
    answer = _ask(
        "POST",
        _read_address(metadata, "token_endpoint"),
        auth=(provider.client, provider.secret),
        data={
            "grant_type": "authorization_code",
            "code": code,
            "redirect_uri": provider.back,
            "code_verifier": visit.verifier,
        },
    )
    keys = _ask("GET", _read_address(metadata, "jwks_uri"))
    return _read_claims(provider, visit, str(answer.get("id_token", "")), keys, instant)


def _read_claims(
    provider: Provider,
    visit: ProviderVisit,
    token_text: str,
    keys: Mapping[str, Any],
    instant: datetime,
) -> Mapping[str, Any]:
    errors, tokens = import_module("joserfc.errors"), import_module("joserfc.jwt")
    key_sets, core = import_module("joserfc.jwk"), import_module("authlib.oidc.core")
    try:
        token = tokens.decode(
            token_text, key_sets.KeySet.import_key_set(keys), algorithms=list(_ALGORITHMS)
        )
        claims = core.CodeIDToken(
            token.claims,
            token.header,
            {
                "iss": {"essential": True, "values": [provider.issuer, f"{provider.issuer}/"]},
                "aud": {"essential": True, "value": provider.client},
            },
            {"nonce": visit.nonce, "client_id": provider.client},
        )
        claims.validate(int(instant.timestamp()), int(_CLOCKS_APART.total_seconds()))
    except (errors.JoseError, ValueError, KeyError, TypeError) as error:
        raise ProviderError(
            f"the answer of the provider cannot be trusted ({type(error).__name__})"
        ) from None
    return dict(claims)


def _is_fresh(claims: Mapping[str, Any], visit: ProviderVisit, instant: datetime) -> bool:
    """Return True if the person was asked during the visit, whatever the provider's clock says."""
    proved_s, issued_s = claims.get("auth_time"), claims.get("iat")
    if not isinstance(proved_s, int | float) or not isinstance(issued_s, int | float):
        return False
    visit_s = (instant - visit.began_at).total_seconds()
    return issued_s - proved_s <= visit_s + _WHOLE_SECONDS


def _find_person(conn: Connection, claims: Mapping[str, Any], instant: datetime) -> Person | None:
    """Return the person of *claims*: known by subject, or bound to it by their address, once."""
    subject = f"{claims['iss']}|{claims['sub']}"
    person_id = credentials.find_provider_person(conn, subject)
    if person_id is not None:
        stored_person = people.load_person(conn, person_id)
        return _require_active(stored_person, instant)
    if claims.get("email_verified") is not True:
        return None
    address = str(claims.get("email", "")).casefold()
    candidates = [
        one
        for one in people.load_people(conn)
        if one.ended_at is None and one.person.email.casefold() == address
    ]
    if len(candidates) != 1 or _require_active(candidates[0], instant) is None:
        return None
    return _bind(conn, candidates[0].person, subject, instant)


def _bind(conn: Connection, person: Person, subject: str, instant: datetime) -> Person | None:
    credential = credentials.load_credential(conn, person.id)
    if credential is None or credential.provider_subject:
        return None  # somebody else has been them there
    bound_credential = replace(credential, provider_subject=subject, changed_at=instant)
    credentials.put_credential(conn, bound_credential, actor=person.id)
    return person


def _require_active(stored_person: StoredPerson | None, instant: datetime) -> Person | None:
    is_active = stored_person is not None and stored_person.is_active(instant)
    return stored_person.person if stored_person is not None and is_active else None


def _read_address(metadata: Mapping[str, Any], name: str) -> str:
    address = metadata.get(name)
    if not isinstance(address, str) or not address.startswith(("https://", "http://")):
        raise ProviderError(f"the provider names no {name}")
    return address


def _ask(method: str, address: str, **options: Any) -> Mapping[str, Any]:  # noqa: ANN401 - of httpx
    """Return the JSON object at *address*.

    Raises:
        ProviderError: There is none.
    """
    try:
        response = httpx.request(method, address, timeout=_TIMEOUT_S, **options)
        response.raise_for_status()
        answer = response.json()
    except (httpx.HTTPError, httpx.InvalidURL, ValueError) as error:
        raise ProviderError(f"the provider does not answer ({type(error).__name__})") from None
    if not isinstance(answer, dict):
        raise ProviderError("the provider does not answer as one")
    return answer
