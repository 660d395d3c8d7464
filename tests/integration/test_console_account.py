"""One's own account in the console: password, second factor, and tokens for a command line."""

import io
import re
from datetime import timedelta

import pytest

from services.cli.shared.token_file import read_token
from services.console.visit import Visit
from services.people.second_factor import make_totp_code
from services.people.sessions import find_session
from services.runtime.clock import now_utc
from services.store.acts import ActFilter, load_acts
from services.store.alerts import AcknowledgementRow, append_acknowledgement
from services.store.sign_ins import Use
from services.vocabulary.act import ActKind
from services.vocabulary.person import Role
from tests.helpers.console_pages import open_console
from tests.helpers.installation import STUDY, Installation
from tests.helpers.people import PASSWORD, make_person

pytestmark = pytest.mark.slow

NEW_PASSWORD = "another one for today"  # noqa: S105 (of tests)


@pytest.fixture
def installation(tmp_path):
    opened_installation = Installation(tmp_path)
    yield opened_installation
    opened_installation.db.close()


@pytest.fixture
def console(installation):
    with open_console(installation.context) as opened_console:
        opened_console.add_person("ann", Role.DSMB_MEMBER)
        opened_console.add_person("lee", Role.OPERATOR)
        yield opened_console


def list_own_changes(console):
    act_filter = ActFilter(person="ann", kinds=[ActKind.CHANGE_PERSON])
    with console.context.db.read() as conn:
        return [act.new_value for act in load_acts(conn, act_filter)]


def make_token(browser):
    browser.look("/me/token")
    page = browser.send("/me/token", 200, password=PASSWORD).text
    return re.search(r"<p><code>([^<]{40,})</code></p>", page)[1]


@pytest.mark.parametrize(
    ("fields", "status", "problem"),
    [
        ({"new": NEW_PASSWORD, "again": NEW_PASSWORD, "password": "wrong"}, 403, "is wrong"),
        ({"new": NEW_PASSWORD, "again": NEW_PASSWORD}, 403, "is wrong"),
        ({"new": NEW_PASSWORD, "again": PASSWORD, "password": PASSWORD}, 400, "differ"),
        ({"new": "short", "again": "short", "password": PASSWORD}, 400, "at least 8"),
        ({"new": "", "again": "", "password": PASSWORD}, 400, "at least 8"),
        (
            {"new": NEW_PASSWORD, "again": NEW_PASSWORD, "password": PASSWORD, "csrf": "guessed"},
            403,
            "Nothing was done",
        ),
    ],
)
def test_a_password_that_cannot_be_taken_changes_nothing(console, fields, status, problem):
    browser = console.admit("ann")
    browser.look("/me/password")
    assert problem in browser.send("/me/password", status, **fields).text
    assert list_own_changes(console) == []
    browser.look("/me")


@pytest.mark.part11("11.300(b)")
def test_a_person_chooses_a_password_and_signs_in_with_it(console):
    browser = console.admit("ann")
    browser.look("/me/password")
    fields = {"new": NEW_PASSWORD, "again": NEW_PASSWORD, "password": PASSWORD}
    answer = browser.send("/me/password", **fields)
    assert "sign in with the new one" in browser.look(answer.headers["location"])
    assert browser.get("/me").headers["location"].startswith("/sign-in?")
    console.sign_in("ann", NEW_PASSWORD).look("/me")
    assert list_own_changes(console) == ["new password"]


@pytest.mark.part11("11.200(a)")
def test_a_second_factor_is_kept_once_a_code_of_it_and_the_password_were_given(console):
    browser = console.admit("ann")
    page = browser.look("/me/second-factor")
    assert "<svg" in page
    secret = browser.find_hidden("secret")
    address, code = "/me/second-factor", make_totp_code(secret, now_utc())
    for fields, status in (
        ({"new_code": "000000", "password": PASSWORD}, 400),
        ({"new_code": code, "password": "wrong"}, 403),
        ({"new_code": code, "password": PASSWORD, "secret": "no base32"}, 409),
    ):
        browser.send(address, status, **{"secret": secret} | fields)
    assert list_own_changes(console) == []
    refused_page = browser.send(address, 403, secret=secret, new_code=code, password="").text
    assert f'value="{secret}"' in refused_page  # what was scanned is not asked for again
    browser.send(address, secret=secret, new_code=code, password=PASSWORD)
    assert list_own_changes(console) == ["second factor"]
    assert "Codes of your authenticator are asked for" in browser.look("/me")
    browser.look("/me/password")
    fields = {"new": NEW_PASSWORD, "again": NEW_PASSWORD, "password": PASSWORD}
    assert "authenticator too" in browser.send("/me/password", 403, **fields).text
    next_code = make_totp_code(secret, now_utc() + timedelta(seconds=30))
    browser.send("/me/password", **fields, code=next_code)


@pytest.mark.part11("11.300(c)")
def test_a_token_is_shown_once_listed_and_ended_by_its_person_alone(console):
    browser = console.admit("ann")
    browser.look("/me/token")
    browser.send("/me/token", 403, password="wrong")  # noqa: S106 (of tests)
    assert "signed in at no command line" in browser.look("/me")
    secret = make_token(browser)
    page = browser.look("/me")
    assert secret not in page
    token_hash = browser.find_hidden("token")
    with console.context.db.read() as conn:
        session = find_session(conn, secret, Use.COMMAND_LINE, now_utc())
        assert find_session(conn, secret, Use.BROWSER, now_utc()) is None
    assert session.person.id == "ann"
    assert session.expires_at - now_utc() <= timedelta(hours=8)
    other = console.admit("lee")
    assert "signed in at no command line" in other.look("/me")
    other.send("/me", 404, token=token_hash)
    browser.look("/me")
    browser.send("/me", token=token_hash)
    with console.context.db.read() as conn:
        assert find_session(conn, secret, Use.COMMAND_LINE, now_utc()) is None
    browser.look("/me")
    browser.send("/me", 404, token=token_hash)
    assert [value.split(" until")[0] for value in list_own_changes(console)] == [
        "token for the command line",
        "a token for the command line ended",
    ]


def test_what_is_seen_under_ones_name_is_seen_by_another(console):
    context, instant = console.context, now_utc()
    ann = make_person(context.db, "ann2", Role.DSMB_MEMBER, name="ann")
    with context.db.write() as conn:
        for number, person_id in enumerate(("ann", "ann2")):
            row = AcknowledgementRow(str(number), "alert", person_id, "", instant, 1)
            append_acknowledgement(conn, row)
    visit = Visit(context, ann, "", instant, {}, {}, {})
    assert [row.by for row in visit.load_own_acknowledgements()] == ["ann2"]


@pytest.fixture
def command_line(tmp_path, aegis, monkeypatch):
    """Return a function that runs ``aegis``, with what stands on its standard input."""
    monkeypatch.setenv("AEGIS_DATA", str(tmp_path))
    monkeypatch.setenv("AEGIS_STUDY", str(STUDY))

    def run(*words, text=""):
        monkeypatch.setattr("sys.stdin", io.StringIO(text))
        return aegis(*words)

    return run


@pytest.mark.parametrize("is_asked", [False, True], ids=["of a file", "asked for"])
def test_a_token_of_the_console_signs_in_at_the_command_line(
    console, installation, command_line, is_asked
):
    secret = make_token(console.admit("ann"))
    token_file = installation.context.settings.login_token.with_name("token.txt")
    token_file.write_text(f"{secret}\n")
    words = ["--token"] if is_asked else ["--token-file", str(token_file)]
    code, output = command_line("login", "lee", *words, text=f"{secret}\n")
    assert code == 2
    assert output.err.startswith("aegis login: that is no token of lee, or not any more")
    code, output = command_line("login", "ann", *words, text=f"{secret}\n")
    assert code == 0
    assert output.out.startswith("ann (dsmb_member) is signed in until 20")
    assert read_token(installation.context.settings) == secret
    assert command_line("logout")[0] == 0
    assert command_line("login", "ann", *words, text=f"{secret}\n")[0] == 2
