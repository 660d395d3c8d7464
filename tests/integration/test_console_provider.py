"""Sign-in and signatures of the console at the provider of the institution, or nowhere."""

from urllib.parse import urlsplit

import httpx
import pytest

from services.people import administration
from services.people.administration import NewPerson, PersonRefusedError
from services.runtime.clock import now_utc
from services.simulator.trial import simulate_trial
from services.store import acts, records
from services.vocabulary.act import ActKind
from services.vocabulary.person import Person, Role, SignedBy
from tests.helpers.console_pages import open_console
from tests.helpers.fact_notes import HOUR_ZERO
from tests.helpers.installation import Installation
from tests.helpers.oidc_provider import CLIENT, SECRET, running_provider
from tests.helpers.people import make_person

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def installation(tmp_path_factory):
    folder = tmp_path_factory.mktemp("institution")
    (folder / "secret").write_text(SECRET)
    made_installation = Installation(folder)
    made_installation.fill(simulate_trial(2, seed=5, days=6))
    make_person(made_installation.db, "ann", Role.SAFETY_OFFICER)
    make_person(made_installation.db, "ben", Role.SAFETY_OFFICER)
    yield made_installation
    made_installation.db.close()


@pytest.fixture(scope="module")
def institution():
    with running_provider() as provider:
        yield provider


def open_console_beside(installation, institution):
    secret_file = installation.context.settings.data / "secret"
    settings = {"oidc_client": CLIENT, "oidc_secret_file": secret_file}
    return open_console(installation.context, oidc_issuer=institution.issuer, **settings)


@pytest.fixture
def console(installation, institution):
    institution.claims = {}
    with open_console_beside(installation, institution) as opened_console:
        yield opened_console


def visit_provider(browser, address):
    """Go to the provider from *address*; return where it sends the browser back."""
    answer = browser.get(address)
    assert answer.status_code == 303, answer.text
    back = urlsplit(httpx.get(answer.headers["location"]).headers["Location"])
    return f"{back.path}?{back.query}"


def find_record(installation):
    with installation.db.read() as conn:
        return next(
            one
            for one in records.load_latest_episodes(conn)
            if not one.retracted and one.content.state == "suspected"
        )


def test_a_person_signs_in_at_the_institution_and_goes_on_where_they_wanted_to(console):
    browser = console.browse()
    page = browser.look("/sign-in?next=/alerts")
    assert 'href="/sign-in/provider?next=/alerts"' in page
    answer = browser.get(visit_provider(browser, "/sign-in/provider?next=/alerts"))
    assert (answer.status_code, answer.headers["location"]) == (303, "/alerts")
    assert "ann" in browser.look("/alerts")


def test_nobody_is_sent_into_the_visit_of_another_browser(console):
    attacker, victim = console.browse(), console.browse()
    back = visit_provider(attacker, "/sign-in/provider")
    answer = victim.get(back)
    assert (answer.status_code, "was not sent to the provider" in answer.text) == (403, True)
    assert victim.get("/worklist").headers["location"].startswith("/sign-in")


def test_a_provider_that_is_down_is_said_on_the_page_with_the_password(installation):
    with running_provider() as institution:
        pass
    with open_console_beside(installation, institution) as console:
        answer = console.browse().get("/sign-in/provider")
    assert answer.status_code == 403
    assert "The provider does not answer" in answer.text
    assert 'name="password"' in answer.text


def test_who_is_nobody_here_is_told_so(console, institution):
    institution.claims = {"sub": "s-9", "email": "nobody@example.org"}
    browser = console.browse()
    answer = browser.get(visit_provider(browser, "/sign-in/provider"))
    assert (answer.status_code, "Nobody here is who the provider says" in answer.text) == (
        403,
        True,
    )


def test_an_act_is_signed_at_the_institution_once(console, installation):
    record = find_record(installation)
    address = f"/records/{record.id}"
    browser = console.admit("ann")
    page = browser.look(address)
    assert f'href="/sign-in/provider/signature?next={address}"' in page
    back = visit_provider(browser, f"/sign-in/provider/signature?next={address}")
    assert browser.get(back).headers["location"] == address
    page = browser.look(address)
    assert "Your institution has just confirmed that you are ann" in page
    form = {"verdict": "confirm", "seen": browser.find_hidden("seen"), "reason": "seen"}
    browser.send(address, **form)
    with installation.db.read() as conn:
        *_, act = acts.load_acts(conn, acts.ActFilter(kinds=(ActKind.ADJUDICATE,)))
    assert (act.actor.id, act.actor.signed_by) == ("ann", SignedBy.PROVIDER)
    browser.look(address)
    form["seen"] = browser.find_hidden("seen")
    answer = browser.send(address, 403, **(form | {"verdict": "reject"}))
    assert "Nothing is signed" in answer.text


def test_the_signature_of_somebody_else_signs_nothing(console, installation):
    address = f"/records/{find_record(installation).id}"
    browser = console.admit("ben")
    back = visit_provider(browser, f"/sign-in/provider/signature?next={address}")
    answer = browser.get(back)  # the provider says that it is ann
    assert "Nothing is signed" in answer.text, answer.text


@pytest.mark.part11("11.200(a)")
def test_who_has_no_password_makes_a_token_once_the_provider_has_asked_them(console, institution):
    db = console.context.db
    person = Person("oid", "O. I. Dee", "oid@example.org", frozenset({Role.OPERATOR}))
    with db.write() as conn:
        new_person = NewPerson(person, "", HOUR_ZERO)
        administration.add_person(conn, new_person, now_utc(), actor="tests")
    institution.claims = {"sub": "s-oid", "email": "oid@example.org"}
    browser = console.browse()
    browser.get(visit_provider(browser, "/sign-in/provider?next=/me"))
    assert "you sign in at your institution" in browser.look("/me")
    for address in ("/me/password", "/me/second-factor"):
        browser.look(address, 404)
        browser.look("/me")
        browser.send(address, 404, new="a password", again="a password", password="")
    browser.look("/me/token")
    browser.send("/me/token", 403, password="")
    browser.get(visit_provider(browser, "/sign-in/provider/signature?next=/me/token"))
    browser.look("/me/token")
    assert "shown this once" in browser.send("/me/token", 200).text
    browser.look("/me/token")
    browser.send("/me/token", 403)
    with db.write() as conn, pytest.raises(PersonRefusedError, match="at the provider only"):
        administration.change_own_password(conn, "oid", "a password", now_utc())


def test_who_is_not_signed_in_cannot_ask_for_a_signature(console):
    answer = console.browse().get("/sign-in/provider/signature?next=/alerts")
    assert answer.headers["location"] == "/sign-in?over=1"


def test_without_a_provider_there_are_no_such_pages(installation):
    with open_console(installation.context) as console:
        assert "institution" not in console.browse().look("/sign-in")
        assert console.browse().get("/sign-in/provider").status_code == 404
