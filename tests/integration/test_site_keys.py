"""API keys of sites: two at once, each with a name and an end, rotated without a gap."""

import io
import json
import re
from datetime import UTC, datetime, timedelta

import pytest

from services.cli.main import main
from services.cli.process.gauges import KeyWarnings
from services.cli.shared.open_study import open_in
from services.ingest import key_uses, site_keys
from services.ingest.domain.site import Sites
from services.ingest.key_uses import KeyUses
from services.ingest.site_keys import SiteKeyError, make_key, revoke_keys, rotate_key
from services.runtime import log
from services.runtime.standing_warnings import StandingWarnings
from services.runtime.store_settings import read_store_settings
from services.store import api_keys
from services.store.api_keys import ApiKey
from services.store.integrity import find_faults
from services.store.session import DatabaseError
from tests.helpers.hl7_messages import RHEIN, labs, obx
from tests.helpers.installation import STUDY
from tests.helpers.intake import CLOCK_TIME, KEY, feed_facts, new_intake, post_content
from tests.helpers.store import new_database

DAY = timedelta(days=1)
MICROSECOND = timedelta(microseconds=1)
MESSAGE = labs(obx("0.49"), control_id="M1")


@pytest.fixture
def store(tmp_path):
    db, keys = new_database(tmp_path)
    yield db
    with db.read() as conn:
        assert list(find_faults(lambda: conn, keys)) == []
    db.close()


def make(db, instant=CLOCK_TIME, site="north", **fields):
    with db.write() as conn:
        return make_key(conn, site, instant, actor="anna", **fields)


def rotate(db, instant=CLOCK_TIME, site="north", *, old_until=CLOCK_TIME + 7 * DAY, **fields):
    with db.write() as conn:
        return rotate_key(conn, site, instant, actor="anna", old_until=old_until, **fields)


def find_name(db, secret, instant):
    with db.read() as conn:
        key = api_keys.find_valid_api_key(conn, secret, instant)
    return key and (key.site, key.name)


def test_a_key_speaks_for_its_site_and_what_is_stored_of_it_is_a_hash(store):
    key = make(store)
    assert find_name(store, key.secret, CLOCK_TIME) == ("north", "north-1")
    assert find_name(store, key.secret + "x", CLOCK_TIME) is None
    assert find_name(store, "", CLOCK_TIME) is None
    with store.read() as conn:
        (row,) = api_keys.load_api_keys(conn)
    assert key.secret not in repr(row)
    assert re.fullmatch("[0-9a-f]{64}", row.hash)


ENDS = [  # asked at, seconds of its life; is it valid?
    (timedelta(0), True),
    (DAY - MICROSECOND, True),
    (DAY, False),
    (DAY + MICROSECOND, False),
]


@pytest.mark.parametrize(("age", "is_valid"), ENDS)
def test_a_key_is_valid_until_the_instant_at_which_it_expires(store, age, is_valid):
    key = make(store, expires_at=CLOCK_TIME + DAY)
    assert (find_name(store, key.secret, CLOCK_TIME + age) is not None) == is_valid


@pytest.mark.parametrize(("age", "is_old_valid"), [(7 * DAY - MICROSECOND, True), (7 * DAY, False)])
def test_after_a_rotation_both_keys_are_valid_until_the_old_one_ends(store, age, is_old_valid):
    old_key = make(store)
    new_key, ending_key = rotate(store)
    assert (new_key.name, ending_key.name, ending_key.expires_at) == (
        "north-2",
        "north-1",
        CLOCK_TIME + 7 * DAY,
    )
    assert find_name(store, new_key.secret, CLOCK_TIME + age) == ("north", "north-2")
    assert (find_name(store, old_key.secret, CLOCK_TIME + age) is not None) == is_old_valid


def test_a_rotation_never_makes_the_life_of_the_old_key_longer(store):
    make(store, expires_at=CLOCK_TIME + DAY)
    _, ending_key = rotate(store)
    assert ending_key.expires_at == CLOCK_TIME + DAY


def test_two_keys_are_valid_at_once_and_a_third_waits_until_one_has_ended(store):
    make(store, expires_at=CLOCK_TIME + DAY)
    make(store)
    make(store, site="rhein")
    for third in (make, rotate):
        with pytest.raises(SiteKeyError, match="has 2 valid keys, north-1 and north-2: revoke one"):
            third(store)
    assert make(store, CLOCK_TIME + DAY).name == "north-3"


def test_one_key_or_all_keys_of_a_site_are_revoked(store):
    keys = [make(store), make(store, name="lab"), make(store, site="rhein")]
    with store.write() as conn:
        assert revoke_keys(conn, "north", CLOCK_TIME, actor="anna", name="lab") == 1
    names = [find_name(store, key.secret, CLOCK_TIME) for key in keys]
    assert names == [("north", "north-1"), None, ("rhein", "rhein-1")]
    with store.write() as conn:
        assert revoke_keys(conn, "north", CLOCK_TIME, actor="anna") == 1
        assert revoke_keys(conn, "north", CLOCK_TIME, actor="anna") == 0
    assert find_name(store, keys[2].secret, CLOCK_TIME) == ("rhein", "rhein-1")


REFUSALS = {
    "a name twice": (lambda db: make(db, name="north-1"), "has or had a key north-1"),
    "a name with a blank": (lambda db: make(db, name="my key"), "'my key' is no name of a key"),
    "no name": (lambda db: make(db, name="\x1b[2J"), "is no name of a key"),
    "an end that is now": (lambda db: make(db, expires_at=CLOCK_TIME), "has passed"),
    "an old key that ends now": (lambda db: rotate(db, old_until=CLOCK_TIME), "has passed"),
    "a key that is not there": (
        lambda db: rotate(db, name="lab"),
        "no such key lab: it has north-1",
    ),
    "a site without keys": (lambda db: rotate(db, site="rhein"), "`aegis sites key rhein` makes"),
}


@pytest.mark.parametrize(("change", "problem"), REFUSALS.values(), ids=REFUSALS)
def test_what_cannot_be_is_refused_and_nothing_has_changed(store, change, problem):
    key = make(store)
    with pytest.raises(SiteKeyError, match=re.escape(problem)):
        change(store)
    with store.read() as conn:
        (stored_key,) = api_keys.load_api_keys(conn)
    assert (stored_key.name, stored_key.expires_at) == (key.name, None)


def test_a_revoked_or_expired_key_is_not_rotated(store):
    make(store, expires_at=CLOCK_TIME + DAY)
    with pytest.raises(SiteKeyError, match="north has no valid key"):
        rotate(store, CLOCK_TIME + DAY, old_until=CLOCK_TIME + 9 * DAY)


def test_over_http_a_key_that_has_ended_is_refused(tmp_path):
    intake = new_intake(tmp_path)
    with intake.db.write() as conn:
        keys = api_keys.load_api_keys(conn, "north")
        api_keys.let_api_key_expire(conn, keys[0].hash, CLOCK_TIME + DAY, actor="anna")
    for age, status in ((timedelta(0), 200), (DAY, 401)):
        intake.clock = lambda age=age: CLOCK_TIME + age
        assert post_content(intake, "/v1/hl7v2", MESSAGE).status_code == status


def test_over_http_a_key_of_a_site_that_was_removed_from_the_study_is_refused(tmp_path):
    intake = new_intake(tmp_path)
    intake.sites = Sites.build((RHEIN,))
    fact = {"subject": "P-001", "observed_at": "2026-03-01T08:00Z", "body": {"kind": "relapse"}}
    for path, content in (("/v1/hl7v2", MESSAGE), ("/v1/facts", json.dumps(fact).encode())):
        response = post_content(intake, path, content, "north")
        assert response.status_code == 403
        assert "no site north any more" in response.text
    assert not feed_facts(intake)


# last use


def load_uses(db):
    with db.read() as conn:
        return {key.site: key.used_at for key in api_keys.load_api_keys(conn)}


def test_requests_leave_the_time_of_the_last_use_and_a_refused_one_does_not(tmp_path):
    intake = new_intake(tmp_path)
    assert load_uses(intake.db) == {"north": None, "rhein": None}
    post_content(intake, "/v1/hl7v2", MESSAGE, "north")
    assert load_uses(intake.db) == {"north": CLOCK_TIME, "rhein": None}


def test_the_last_use_is_written_once_an_hour(store, monkeypatch):
    use_times = []
    monkeypatch.setattr(
        key_uses, "record_api_key_use", lambda _conn, _hash, instant: use_times.append(instant)
    )
    make(store)
    with store.read() as conn:
        (key,) = api_keys.load_api_keys(conn)
    uses = KeyUses(store)
    for minutes in (0, 1, 59, 60, 61, 119, 120, 500):
        uses.record(key, CLOCK_TIME + timedelta(minutes=minutes))
    assert [(at - CLOCK_TIME) // timedelta(minutes=1) for at in use_times] == [0, 60, 120, 500]


def test_a_use_that_cannot_be_stored_is_logged_and_refuses_nobody(tmp_path, monkeypatch):
    stream = io.StringIO()
    log.configure_logging(as_json=True, stream=stream)

    def fail(*_):
        raise DatabaseError("gone")

    monkeypatch.setattr(key_uses, "record_api_key_use", fail)
    assert post_content(new_intake(tmp_path), "/v1/hl7v2", MESSAGE).status_code == 200
    assert "key_use_not_stored" in stream.getvalue()
    assert KEY["north"] not in stream.getvalue()


# warnings of keys that end

LIMIT = timedelta(days=14)
LIVES = {  # days until each key ends (None: never), or "revoked"; the one that is warned of
    "one that never ends": ([None], None),
    "one that ends in 14 days": ([14], "north-1"),
    "one that ended": ([-1], "north-1"),
    "a successor that never ends": ([3, None], None),
    "a successor that ends soon too": ([3, 5], "north-2"),
    "a successor that was revoked": ([3, "revoked"], "north-1"),
    "all revoked": (["revoked"], None),
}


def make_stored_key(number, life):
    end = CLOCK_TIME + life * DAY if isinstance(life, int) else None
    revoked_at = CLOCK_TIME if life == "revoked" else None
    return ApiKey(str(number), "north", f"north-{number}", CLOCK_TIME - 99 * DAY, end, revoked_at)


@pytest.mark.parametrize(("lives", "name"), LIVES.values(), ids=LIVES)
def test_the_end_of_the_last_key_of_a_site_is_warned_of(lives, name):
    keys = [make_stored_key(number, life) for number, life in enumerate(lives, 1)]
    warnings = list(site_keys.list_key_warnings(keys, CLOCK_TIME))
    assert [f"API key of north, {name}, ends" in one for one in warnings] == [True] * bool(name)


@pytest.mark.parametrize(("age", "count"), [(-LIMIT - MICROSECOND, 0), (-LIMIT, 1), (LIMIT, 1)])
def test_it_is_warned_of_from_fourteen_days_before(age, count):
    keys = [make_stored_key(1, 20)]
    warnings = list(site_keys.list_key_warnings(keys, CLOCK_TIME + 20 * DAY + age))
    assert len(warnings) == count


def test_a_warning_stands_until_the_key_was_rotated(store):
    warnings = StandingWarnings()
    shows = KeyWarnings(warnings, lambda: CLOCK_TIME)
    for change, count in (
        (lambda: make(store, expires_at=CLOCK_TIME + DAY), 1),
        (lambda: None, 1),
        (lambda: rotate(store), 0),
    ):
        change()
        with store.read() as conn:
            shows.show(conn)
        assert len(warnings.list_problems()) == count


# the commands


@pytest.fixture
def aegis(tmp_path, capsys):
    def run_command(*words, code=0):
        capsys.readouterr()
        assert main(["sites", *words, "--data", str(tmp_path), "--study", str(STUDY)]) == code
        return capsys.readouterr()

    return run_command


def test_an_operator_makes_lists_rotates_and_revokes_keys(aegis):
    first = aegis("key", "north", "--name", "lab", "--expires", "2999-01-01T00:00Z").out.strip()
    rotation = aegis("rotate", "north", "--old-until", "2998-01-01T00:00Z")
    second = rotation.out.strip()
    assert rotation.err == "north-2 is valid now, lab until 2998-01-01 00:00 UTC\n"
    assert len({first, second}) == 2
    table = aegis("keys").out
    keys = [json.loads(line) for line in aegis("keys", "north", "--json").out.splitlines()]
    assert [(key["name"], key["state"], key["expires_at"]) for key in keys] == [
        ("lab", "valid", "2998-01-01T00:00:00+00:00"),
        ("north-2", "valid", None),
    ]
    assert not [secret for secret in (first, second) if secret in table + json.dumps(keys)]
    assert aegis("revoke", "north", "--name", "lab").out == "1 key of north revoked\n"
    assert [line.split()[:3] for line in aegis("keys").out.splitlines()[1:3]] == [
        ["north", "lab", "revoked"],
        ["north", "north-2", "valid"],
    ]


def test_what_an_operator_cannot_do_is_said_in_one_line(aegis):
    for words in (["key", "north"], ["key", "north"]):
        aegis(*words)
    assert "revoke one of them first" in aegis("key", "north", code=2).err
    assert "no such key lab" in aegis("revoke", "north", "--name", "lab", code=2).err
    assert "'' is no name of a key" in aegis("key", "rhein", "--name", "", code=2).err
    assert "no site moon" in aegis("keys", "moon", code=2).err
    assert "has passed" in aegis("rotate", "north", "--old-until", "2020-01-01T00:00Z", code=2).err
    assert (
        aegis("keys", "west").out == "no API key was made yet: `aegis sites key SITE` makes one\n"
    )


def test_keys_of_a_site_that_was_removed_are_listed_and_revoked_and_none_is_made(aegis, tmp_path):
    with open_in(read_store_settings(data=tmp_path, study=STUDY)).db.write() as conn:
        make_key(conn, "south", CLOCK_TIME, actor="anna")
    assert aegis("keys", "south").out.splitlines()[1].split()[:3] == ["south", "south-1", "valid"]
    for word in ("key", "rotate"):
        assert "no site south" in aegis(word, "south", code=2).err
    assert aegis("revoke", "south").out == "1 key of south revoked\n"


def test_a_default_rotation_leaves_the_old_key_a_week(aegis):
    aegis("key", "north")
    aegis("rotate", "north")
    old_key, _ = [json.loads(line) for line in aegis("keys", "--json").out.splitlines()]
    remaining_time = datetime.fromisoformat(old_key["expires_at"]) - datetime.now(tz=UTC)
    assert timedelta(days=6, hours=23) < remaining_time < timedelta(days=7)
    assert site_keys.MOST_KEYS == 2
