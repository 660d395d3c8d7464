"""Settings of the machine: what is not known is refused by its name."""

import inspect
import re
from argparse import Namespace
from pathlib import Path

import pytest
from pydantic_settings import BaseSettings

from services.cli.main import main
from services.cli.shared.chosen_settings import read_chosen_settings
from services.runtime import settings
from services.runtime.settings import check_variables, read_settings
from services.runtime.settings_error import SettingsError
from services.runtime.store_settings import read_store_settings

ROOT = Path(__file__).parent.parent.parent
ENCRYPTED_ONLY = "the port is encrypted only with"


@pytest.mark.parametrize(
    ("name", "nearest"),
    [
        ("AEGIS_DATABSE_URL", "AEGIS_DATABASE_URL"),
        ("AEGIS_SMTP_PASSWORD", "AEGIS_SMTP_PASSWORD_FILE"),
        ("AEGIS_MLLPPORT", "AEGIS_MLLP_PORT"),
        ("aegis_kafak", "AEGIS_KAFKA"),
        ("AEGIS_KAFKA_BOOTSTRAP_SERVERS", "AEGIS_KAFKA"),
        ("AEGIS_DATA_DIR", "AEGIS_DATA"),
        ("AEGIS_CACHE_MB", "AEGIS_RULES_CACHE_MB"),
        ("AEGIS_URL", "AEGIS_BOARD_DATABASE_URL, AEGIS_DATABASE_URL or AEGIS_PUBLIC_URL"),
        ("AEGIS_PORT", "AEGIS_HTTP_PORT, AEGIS_MLLP_PORT or AEGIS_SMTP_PORT"),
    ],
)
def test_an_unknown_variable_is_refused_with_those_that_it_may_stand_for(
    monkeypatch, name, nearest
):
    monkeypatch.setenv(name, "secret")
    problem = f"^{name}: there is no such setting; did you mean {nearest}[?]$"
    with pytest.raises(SettingsError, match=problem):
        read_chosen_settings(Namespace())


@pytest.mark.parametrize("name", ["AEGIS_LOG_LEVEL", "AEGIS_DB", "AEGIS_", "AEGIS_XYZZY"])
def test_a_variable_that_is_like_no_other_is_refused_with_where_all_are(name):
    with pytest.raises(SettingsError, match=r"no such setting; docs/running\.md lists them all$"):
        check_variables([name])


def test_a_command_that_finds_an_unknown_variable_ends_with_2(monkeypatch, capsys):
    monkeypatch.setenv("AEGIS_STUDDY", "x")
    assert main(["topics"]) == 2
    problem = "aegis topics: AEGIS_STUDDY: there is no such setting; did you mean AEGIS_STUDY?\n"
    assert capsys.readouterr().err == problem


def test_variables_of_others_are_their_own():
    check_variables(["HOME", "PATH", "AEGISX", "aegis_data", "AEGIS_FAILPOINT", "AEGIS_FAULT_RUNS"])


def test_every_variable_that_a_file_of_the_house_names_is_known():
    places = [ROOT / "Makefile", *(ROOT / "deploy").rglob("*"), *(ROOT / "docs").glob("*.md")]
    places += [*(ROOT / "benchmarks").rglob("*.py"), *(ROOT / "tests" / "faults").glob("*.py")]
    text = "\n".join(place.read_text("utf-8", "ignore") for place in places if place.is_file())
    names = re.findall(r"\bAEGIS_[A-Z0-9_]*[A-Z0-9]\b", text)
    assert len(set(names)) > 30
    check_variables(names)


def test_the_settings_of_every_class_are_known():
    classes = [kind for _, kind in inspect.getmembers(settings, inspect.isclass)]
    kinds = {kind for kind in classes if issubclass(kind, BaseSettings)} - {BaseSettings}
    assert kinds == set(settings.SETTINGS)


@pytest.mark.parametrize(
    ("url", "problem"),
    [
        ("postgres://aegis:secret@db/a", "no database postgres; did you mean postgresql+psycopg?"),
        ("postgresql://aegis:secret@db/a", "postgresql; did you mean postgresql+psycopg?"),
        ("sqlite3:////secret.db", "there is no database sqlite3; did you mean sqlite?"),
        ("mysql://aegis:secret@db/a", "there is no database mysql"),
        ("/var/secret.db", "it is SCHEME://"),
    ],
)
def test_an_unknown_database_is_refused_and_its_password_is_not_shown(monkeypatch, url, problem):
    monkeypatch.setenv("AEGIS_DATABASE_URL", url)
    with pytest.raises(SettingsError) as error_info:
        read_store_settings()
    sentence = str(error_info.value)
    assert sentence.startswith("AEGIS_DATABASE_URL: ")
    assert problem in sentence
    assert "secret" not in sentence
    assert "\n" not in sentence


@pytest.mark.parametrize(
    ("name", "value", "problem"),
    [
        ("MLLP_KEY", "/nowhere", f"{ENCRYPTED_ONLY} AEGIS_MLLP_CERTIFICATE: name that too"),
        ("MLLP_OPEN", "maybe", "must be yes or no, not 'maybe'"),
        ("MLLP_PORT", "abc", "must be a whole number, not 'abc'"),
        ("MLLP_PORT", "2575.5", "must be a whole number, not '2575.5'"),
        ("MLLP_PORT", "65536", "must be at most 65535, not '65536'"),
        ("MLLP_PORT", "-1", "must be 0 or more, not '-1'"),
        ("MLLP_PORT", "9" * 5000, "must be a whole number of fewer digits"),
        ("MLLP_CERTIFICATE", "/nowhere", "there is no file /nowhere"),
        ("MESSAGE_BYTES", "1023", "must be 1024 or more, not '1023'"),
        ("FRAME_DEADLINE_S", "soon", "must be a number, not 'soon'"),
        ("FRAME_DEADLINE_S", "0", "must be above 0, not '0'"),
        ("FRAME_DEADLINE_S", "nan", "must be at most 3600, not 'nan'"),
        ("DATABASE_PASSWORD_FILE", "/nowhere", "there is no file /nowhere"),
        ("DATABASE_PASSWORD_FILE", "", "there is no file ."),
        ("CLOCK", "", "must be 'wall' or 'message', not ''"),
        ("CLOCK", "sun", "must be 'wall' or 'message', not 'sun'"),
        ("KAFKA", "a:1,b", "a broker is HOST:PORT, several are separated by commas, not 'b'"),
    ],
)
def test_a_setting_that_is_refused_says_what_it_may_be(monkeypatch, name, value, problem):
    monkeypatch.setenv(f"AEGIS_{name}", value)
    kinds = [kind for kind in settings.SETTINGS if name.lower() in kind.model_fields]
    with pytest.raises(SettingsError) as error_info:
        read_settings(kinds[0]) if kinds else read_store_settings()
    assert str(error_info.value)[:200].startswith(f"AEGIS_{name}: {problem}")
    assert str(error_info.value).endswith(problem) or len(value) > 100


@pytest.mark.parametrize("url", ["", "sqlite:////a.db", "postgresql+psycopg://aegis@db/a"])
def test_both_databases_are_known(monkeypatch, url):
    monkeypatch.setenv("AEGIS_DATABASE_URL", url)
    assert read_store_settings().database_url == url


def test_each_setting_of_the_store_has_a_variable_and_an_option_wins(monkeypatch, tmp_path):
    for name, value in [("DATA", "d"), ("KEYS", "k"), ("STUDY", "s"), ("CLOCK", "message")]:
        monkeypatch.setenv(f"AEGIS_{name}", value)
    monkeypatch.delenv("AEGIS_DATABASE_URL", raising=False)
    monkeypatch.setenv("aegis_database_password_file", __file__)  # either case, as the others
    settings_read = read_store_settings(data=tmp_path)
    assert (settings_read.data, settings_read.clock) == (tmp_path, "message")
    assert settings_read.database_password_file == Path(__file__)
    assert settings_read.keys_folder == Path("k")
    assert (settings_read.study, settings_read.is_study_chosen) == (Path("s"), True)


def test_a_study_that_nobody_names_is_not_chosen(monkeypatch):
    monkeypatch.delenv("AEGIS_STUDY", raising=False)
    assert not read_store_settings(data=Path("d"), keys=None).is_study_chosen
    assert read_store_settings(keys=None).keys_folder == Path("var/keys")
    assert read_store_settings(study=Path("s")).is_study_chosen


def test_every_fault_of_the_store_is_told(monkeypatch):
    monkeypatch.setenv("AEGIS_CLOCK", "sun")
    with pytest.raises(SettingsError, match=r"AEGIS_DATABASE_URL: .*; AEGIS_CLOCK: must be 'wall'"):
        read_store_settings(database_url="x")
