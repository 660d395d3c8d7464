"""Sign-in and signatures at the provider of an institution, and every way in which it can fail."""

import time
from dataclasses import replace
from datetime import timedelta
from urllib.parse import parse_qs, urlsplit

import httpx
import pytest
from joserfc.jwk import ECKey

from services.people import administration
from services.people.provider import (
    Provider,
    ProviderError,
    Purpose,
    begin_visit,
    end_visit,
    take_signature,
)
from services.people.sessions import find_session
from services.people.sign_in import Refusal
from services.runtime.clock import now_utc
from services.store import schema, tables
from services.store.session import Database
from services.store.sign_ins import Use
from services.vocabulary.person import Role
from tests.helpers.oidc_provider import CLIENT, SECRET, running_provider
from tests.helpers.people import make_person

pytestmark = pytest.mark.slow

DATABASES = ["sqlite", pytest.param("postgres", marks=pytest.mark.server)]


@pytest.fixture(params=DATABASES)
def db(request, tmp_path):
    """A database with ann, whom the provider knows, and ben."""
    if request.param == "sqlite":
        url = f"sqlite:///{tmp_path}/aegis.db"
    else:
        url = request.getfixturevalue("postgres").url
    database = Database.open(url)
    if request.param == "sqlite":
        schema.upgrade(database)
    for name in ("ann", "ben"):
        make_person(database, name, Role.SAFETY_OFFICER, Role.ADMINISTRATOR)
    yield database
    database.close()


@pytest.fixture
def institution():
    with running_provider() as provider:
        yield provider


class Browser:
    """A browser that goes to the provider and comes back."""

    def __init__(self, db, institution):
        self.db, self.institution = db, institution
        self.provider = Provider(institution.issuer, CLIENT, SECRET, "http://aegis.example/back")

    def leave(self, person="", instant=None):
        """Return the parameters with which the provider sends the browser back."""
        departure = begin_visit(
            self.db, self.provider, instant or now_utc(), person=person, leads_to="/records/7"
        )
        location = httpx.get(departure.address).headers["Location"]
        query = parse_qs(urlsplit(location).query)
        return {name: query[name][0] for name in ("state", "code")}

    def come_back(self, back, instant=None):
        return end_visit(self.db, self.provider, instant or now_utc(), **back, life_s=3_600)

    def sign_in(self, person=""):
        return self.come_back(self.leave(person))


@pytest.fixture
def browser(db, institution):
    return Browser(db, institution)


def test_who_the_provider_knows_by_a_verified_address_is_signed_in(browser):
    outcome = browser.sign_in()
    assert (outcome.session.person.id, outcome.purpose, outcome.leads_to) == (
        "ann",
        Purpose.SIGN_IN,
        "/records/7",
    )
    with browser.db.read() as conn:
        secret = outcome.session.secret
        assert find_session(conn, secret, Use.BROWSER, now_utc()).person.id == "ann"
        assert find_session(conn, secret, Use.SIGNATURE, now_utc()) is None
    (query,) = browser.institution.asked
    assert "prompt" not in query
    assert query["code_challenge_method"] == "S256"


def test_from_then_on_they_are_known_by_the_subject_whatever_their_address_says(browser):
    browser.sign_in()
    browser.institution.claims = {"email": "ben@example.org"}
    assert browser.sign_in().session.person.id == "ann"
    browser.institution.claims = {"sub": "s-2", "email": "ann@example.org"}
    assert isinstance(browser.sign_in(), Refusal)  # ann is somebody else there


@pytest.mark.parametrize(
    "claims",
    [
        {"email": "nobody@example.org"},
        {"email_verified": False},
        {"email_verified": None},
        {"email_verified": "true"},
        {"email": None},
        {"email": ""},
    ],
)
def test_who_is_nobody_here_is_not_signed_in(browser, claims):
    browser.institution.claims = claims
    outcome = browser.sign_in()
    assert outcome == Refusal("nobody here is who the provider says, or they may not sign in now")


def test_who_ended_is_not_signed_in(browser):
    browser.sign_in()
    with browser.db.write() as conn:
        administration.end_person(conn, "ann", now_utc(), actor="ben")
    assert isinstance(browser.sign_in(), Refusal)


@pytest.mark.parametrize(
    "claims",
    [
        {"nonce": "another"},
        {"nonce": None},
        {"aud": "another"},
        {"aud": None},
        {"iss": "https://elsewhere.example"},
        {"exp": 1},
        {"exp": None},
        {"sub": None},
        {"iat": int(time.time()) + 3_600},
        {"azp": "another"},
    ],
)
def test_a_token_that_is_not_for_this_visit_is_not_trusted(browser, claims):
    browser.institution.claims = claims
    with pytest.raises(ProviderError, match="cannot be trusted"):
        browser.sign_in()


def test_a_token_of_another_key_is_not_trusted(browser):
    browser.institution.key = ECKey.generate_key("P-256", {"kid": "k1"})
    with pytest.raises(ProviderError, match="cannot be trusted"):
        browser.sign_in()


def test_a_visit_ends_once_and_within_ten_minutes(browser):
    back = browser.leave()
    browser.come_back(back)
    assert isinstance(browser.come_back(back), Refusal)
    late = browser.leave(instant=now_utc() - timedelta(minutes=11))
    assert isinstance(browser.come_back(late), Refusal)
    assert isinstance(browser.come_back({"state": "made up", "code": "x"}), Refusal)


def test_a_code_of_another_visit_is_not_exchanged(browser):
    own, foreign = browser.leave(), browser.leave()
    with pytest.raises(ProviderError, match="does not answer"):
        browser.come_back(own | {"code": foreign["code"]})


def test_a_signature_asks_again_and_is_good_for_one_act_of_one_person(browser):
    outcome = browser.sign_in("ann")
    (query,) = browser.institution.asked
    assert (query["prompt"], query["max_age"]) == ("login", "0")
    assert outcome.purpose is Purpose.SIGNATURE
    with browser.db.write() as conn:
        secret = outcome.session.secret
        assert find_session(conn, secret, Use.BROWSER, now_utc()) is None
        assert not take_signature(conn, secret, "ben", now_utc())
        assert take_signature(conn, secret, "ann", now_utc())
        assert not take_signature(conn, secret, "ann", now_utc())


def test_a_signature_that_waits_is_old_after_five_minutes(browser):
    outcome = browser.sign_in("ann")
    with browser.db.write() as conn:
        later = now_utc() + timedelta(seconds=301)
        assert not take_signature(conn, outcome.session.secret, "ann", later)


@pytest.mark.parametrize("proved_s_ago", [60, 8 * 3_600, None])
def test_a_provider_that_does_not_ask_again_signs_nothing(browser, proved_s_ago):
    proved_at = None if proved_s_ago is None else int(time.time()) - proved_s_ago
    browser.institution.claims = {"auth_time": proved_at}
    assert browser.sign_in("ann") == Refusal(
        "nothing is signed: the provider did not ask its person again"
    )
    assert browser.sign_in().session.person.id == "ann"  # to sign in it is enough


def test_nobody_signs_for_somebody_else(browser):
    assert isinstance(browser.sign_in("ben"), Refusal)


def test_a_provider_that_is_down_is_one_sentence(browser):
    back = browser.leave()
    browser.institution.server.shutdown()
    browser.institution.server.server_close()
    for attempt in (browser.leave, lambda: browser.come_back(back)):
        with pytest.raises(ProviderError, match="the provider does not answer"):
            attempt()


def test_a_provider_that_calls_itself_otherwise_is_not_asked(browser):
    browser.institution.metadata = lambda: {"issuer": "https://elsewhere.example"}
    with pytest.raises(ProviderError, match="another address"):
        browser.leave()
    browser.institution.metadata = lambda: {"issuer": browser.institution.issuer}
    with pytest.raises(ProviderError, match="names no authorization_endpoint"):
        browser.leave()


def test_no_secret_is_shown_or_kept(browser):
    provider = replace(browser.provider)
    assert SECRET not in repr(provider)
    back = browser.leave()
    with browser.db.read() as conn:
        (row,) = conn.execute(tables.provider_visit.select()).all()
    assert back["state"] not in str(row)
