"""``aegis people``, ``login`` and ``logout``: who may act at a command line, and who may not."""

import json
import stat
from datetime import timedelta

import pytest

from services.cli.main import main
from services.cli.shared import people_changes
from services.people.second_factor import make_totp_code, make_totp_secret
from services.runtime.clock import now_utc
from services.store.acts import load_acts
from services.store.session import Database
from services.vocabulary.act import ActKind
from tests.helpers.installation import STUDY

pytestmark = pytest.mark.slow

PASSWORDS = {"admin": "first of all people", "lee": "second of all people"}


@pytest.fixture
def folder(tmp_path, monkeypatch):
    data = tmp_path / "data"
    monkeypatch.setenv("AEGIS_DATA", str(data))
    monkeypatch.setenv("AEGIS_STUDY", str(STUDY))
    for name, password in PASSWORDS.items():
        (tmp_path / f"{name}.password").write_text(f"{password}\n")
    return tmp_path


@pytest.fixture
def people(folder, aegis):
    """Return a function that runs ``aegis people ...`` with a password, and a reason."""

    def run(word, name, *words, file_of="", reason="as agreed"):
        password_file = folder / f"{file_of or name}.password"
        with_password = [] if word in ("end", "roles") else ["--password-file", str(password_file)]
        return aegis("people", word, name, *words, *with_password, "--reason", reason)

    return run


def details(person, roles="safety_officer", **fields):
    address = fields.get("email", f"{person}@example.org")
    return ["--name", fields.get("name", person.title()), "--email", address, "--roles", roles]


@pytest.fixture
def log_in(folder, aegis):
    def run(name, file_of=""):
        return aegis("login", name, "--password-file", str(folder / f"{file_of or name}.password"))

    return run


@pytest.fixture
def office(people, log_in):
    """A folder with an administrator, who is signed in."""
    code, _ = people("init", "admin", *details("admin", "administrator"))
    assert code == 0
    assert log_in("admin")[0] == 0


def acts_in(folder):
    db = Database.open(f"sqlite:///{folder}/data/db/aegis.db")
    with db.read() as conn:
        rows = load_acts(conn)
    db.close()
    return [row for row in rows if row.kind is not ActKind.ACTIVATE_STUDY]


@pytest.mark.usefixtures("office")
@pytest.mark.part11("11.300(a)", "4.3.8")
def test_the_first_person_makes_the_others_and_each_is_in_the_trail(folder, aegis, people):
    assert people("add", "lee", *details("lee"), reason="on the team")[0] == 0
    assert people("roles", "lee", "--roles", "auditor", reason="new task")[0] == 0
    assert people("reset", "lee", reason="forgotten")[0] == 0
    assert people("end", "lee", reason="left")[0] == 0
    _, output = aegis("people", "list", "--json")
    lines = [json.loads(line) for line in output.out.splitlines()]
    assert [(line["person"], line["roles"], line["state"]) for line in lines] == [
        ("admin", ["administrator"], "active"),
        ("lee", ["auditor"], "ended"),
    ]
    assert [
        (row.actor.id, row.role, row.kind, row.target, row.old_value, row.new_value, row.reason)
        for row in acts_in(folder)
    ] == [
        (
            "machine", None, "add-person", "admin", "",
            "Admin <admin@example.org>: administrator", "as agreed",
        ),
        (
            "admin", "administrator", "add-person", "lee", "",
            "Lee <lee@example.org>: safety_officer", "on the team",
        ),
        ("admin", "administrator", "change-person", "lee", "safety_officer", "auditor", "new task"),
        (
            "admin", "administrator", "reset-person", "lee", "",
            "new password, no second factor", "forgotten",
        ),
        ("admin", "administrator", "end-person", "lee", "auditor", "ended", "left"),
    ]  # fmt: skip
    assert aegis("verify")[0] == 0


@pytest.mark.usefixtures("office")
def test_there_is_one_first_person(people):
    code, output = people("init", "lee", *details("lee", "administrator"))
    assert code == 2
    assert output.err.startswith("aegis people: there are people already: an administrator makes")


def test_the_first_person_is_an_administrator(folder, people):
    code, output = people("init", "admin", *details("admin", "safety_officer"))
    assert code == 2
    assert "the first person is an administrator" in output.err
    assert acts_in(folder) == []


@pytest.mark.parametrize("reason", ["", "  ", "\t\n"])
@pytest.mark.usefixtures("office")
def test_nothing_is_done_for_a_blank_reason(people, reason):
    with pytest.raises(SystemExit) as error:
        people("add", "lee", *details("lee"), reason=reason)
    assert error.value.code == 2


@pytest.mark.parametrize("name", ["admin", "nobody", "Admin", "ädmin", ""])
@pytest.mark.usefixtures("office")
@pytest.mark.part11("11.300(d)")
def test_a_wrong_password_and_an_unknown_id_are_one_sentence(log_in, name):
    code, output = log_in(name, file_of="lee")
    assert (code, output.out) == (2, "")
    assert output.err == (
        "aegis login: the id, the password or the code is wrong, or they may not sign in now\n"
    )


def test_where_nobody_is_yet_nobody_signs_in(folder, aegis, log_in):
    assert aegis("participants", "import", str(folder / "none.csv"))[0] == 2  # makes the folder
    code, output = log_in("admin")
    assert code == 2
    assert output.err.startswith("aegis login: there is nobody yet: make the first person")


@pytest.mark.usefixtures("office")
@pytest.mark.part11("11.300(c)")
def test_the_token_is_its_owners_alone_and_ends_with_logout(folder, aegis, people):
    token_file = folder / "data" / "login.token"
    secret = token_file.read_text()
    assert stat.S_IMODE(token_file.stat().st_mode) == 0o600
    assert aegis("logout")[1].out == "Admin is signed out\n"
    assert not token_file.exists()
    assert "nobody is signed in: `aegis login ID`" in people("add", "lee", *details("lee"))[1].err
    token_file.write_text(secret)  # a copy that somebody kept
    token_file.chmod(0o600)
    code, output = people("add", "lee", *details("lee"))
    assert (code, output.err) == (
        2,
        "aegis people: nobody is signed in any more: `aegis login ID` again\n",
    )


@pytest.mark.usefixtures("office")
def test_a_token_that_others_can_read_is_not_used(folder, people):
    (folder / "data" / "login.token").chmod(0o644)
    code, output = people("add", "lee", *details("lee"))
    assert code == 2
    assert "others can read" in output.err


@pytest.mark.usefixtures("office")
@pytest.mark.part11("11.300(b)", "11.300(c)")
def test_who_ended_acts_no_more_with_the_token_of_before(folder, people, log_in):
    people("add", "lee", *details("lee", "administrator"))
    token_file = folder / "data" / "login.token"
    administrator_token = token_file.read_text()
    assert log_in("lee")[0] == 0
    lees_token = token_file.read_text()
    token_file.write_text(administrator_token)
    assert people("end", "lee")[0] == 0
    token_file.write_text(lees_token)
    assert "nobody is signed in any more" in people("end", "admin")[1].err
    assert log_in("lee")[0] == 2


@pytest.mark.usefixtures("office")
@pytest.mark.part11("11.10(g)")
def test_a_role_that_may_not_is_told_who_may(people, log_in):
    people("add", "lee", *details("lee", "safety_officer,auditor"))
    log_in("lee")
    code, output = people("add", "kim", *details("kim"), file_of="lee")
    assert code == 2
    assert output.err == (
        "aegis people: lee (auditor, safety_officer) may not add person: administrator may\n"
    )


@pytest.mark.parametrize(
    ("fields", "problem"),
    [
        ({"name": "Lee\x1b[2J"}, r"not 'Lee\x1b[2J'"),
        ({"name": "Lee\nKim"}, r"not 'Lee\nKim'"),
        ({"email": "lee"}, "'lee' is no e-mail address"),
    ],
)
@pytest.mark.usefixtures("office")
def test_what_could_trick_a_reader_is_no_name(people, fields, problem):
    code, output = people("add", "lee", *details("lee", **fields))
    assert code == 2
    assert problem in output.err
    assert "\x1b" not in output.err


@pytest.mark.usefixtures("office")
def test_html_in_a_name_is_text(aegis, people):
    assert people("add", "lee", *details("lee", name="<b>Lee</b> & O'Neill"))[0] == 0
    assert "<b>Lee</b> & O'Neill" in aegis("people", "list")[1].out


@pytest.mark.usefixtures("office")
def test_a_file_of_several_lines_has_one_of_each_person(folder, aegis, people):
    people("add", "lee", *details("lee"))
    password_file = folder / "sign-in.txt"
    password_file.write_text("".join(f"{name} {word}\n" for name, word in PASSWORDS.items()))
    for name in PASSWORDS:
        assert aegis("login", name, "--password-file", str(password_file))[0] == 0
    code, output = aegis("login", "kim", "--password-file", str(password_file))
    assert code == 2
    assert "not one of kim and a password" in output.err


@pytest.mark.parametrize("content", [b"\xff\xfe\x00", None])
@pytest.mark.usefixtures("office")
def test_a_password_file_that_cannot_be_read_is_one_line(folder, aegis, content):
    path = folder / "broken.password"
    if content is not None:
        path.write_bytes(content)
    code, output = aegis("login", "admin", "--password-file", str(path))
    assert (code, output.err.count("\n")) == (2, 1)


def test_the_roles_are_explained_without_data(aegis):
    code, output = aegis("people", "roles")
    assert code == 0
    assert "dsmb_chair" in output.out
    assert main(["people", "roles", "--json"]) == 0


@pytest.mark.usefixtures("office")
def test_a_person_chooses_a_password_of_their_own(folder, aegis, log_in):
    (folder / "new.password").write_text("third of all passwords\n")
    files = ["--password-file", str(folder / "lee.password")]
    words = ["people", "password", "--new-password-file", str(folder / "new.password")]
    assert aegis(*words, *files)[0] == 2  # it is not theirs
    files[1] = str(folder / "admin.password")
    assert aegis(*words, *files)[0] == 0
    assert log_in("admin")[0] == 2
    assert log_in("admin", "new")[0] == 0


@pytest.mark.usefixtures("office")
@pytest.mark.part11("11.200(a)")
def test_a_second_factor_is_set_up_by_its_person_and_asked_for_from_then_on(
    folder, aegis, log_in, monkeypatch
):
    secret = make_totp_secret()
    monkeypatch.setattr(people_changes, "begin_second_factor", lambda: secret)
    instant = now_utc()
    for code, exit_code in (("000000", 2), (make_totp_code(secret, instant), 0)):
        monkeypatch.setattr("builtins.input", lambda _, shown=code: shown)
        words = ["second-factor", "--password-file", str(folder / "admin.password")]
        assert aegis("people", *words)[0] == exit_code
    code, output = log_in("admin")
    assert (code, output.err) == (2, "aegis login: give the code of your authenticator too\n")
    next_code = make_totp_code(secret, instant + timedelta(seconds=30))
    words = ["login", "admin", "--password-file", str(folder / "admin.password")]
    assert aegis(*words, "--code", next_code)[0] == 0
    assert acts_in(folder)[-1].new_value == "second factor"
