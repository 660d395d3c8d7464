"""The passwords of the containers: made once, for one user alone, whatever the umask."""

import os
import stat

import pytest

from deploy.make_secrets import READERS, main, write_secret


@pytest.fixture(params=[0o000, 0o022, 0o077])
def umask(request):
    usual_umask = os.umask(request.param)
    yield request.param
    os.umask(usual_umask)


@pytest.mark.skipif(os.getuid() != 0, reason="only root gives a file to another user")
@pytest.mark.usefixtures("umask")
def test_each_is_for_its_reader_alone_and_stays_when_it_is_there(tmp_path, capsys):
    folder = tmp_path / "secrets"
    assert main(folder) == 0
    contents = {file.name: file.read_text() for file in folder.iterdir()}
    assert contents.keys() == READERS.keys()
    assert len(set(contents.values())) == len(READERS)
    assert all(len(text) == 48 for text in contents.values())
    for name, owner in READERS.items():
        status = (folder / name).stat()
        assert (stat.S_IMODE(status.st_mode), status.st_uid, status.st_gid) == (0o600, owner, owner)
    (folder / "database_rules_password").unlink()
    (folder / "database_password").chmod(0o644)  # as an earlier version told people to make it
    os.chown(folder / "database_password", 0, 0)
    assert main(folder) == 0
    assert capsys.readouterr().out.endswith(f"1 made, {len(READERS) - 1} were there\n")
    status = (folder / "database_password").stat()
    assert (stat.S_IMODE(status.st_mode), status.st_uid) == (0o600, READERS["database_password"])
    later = {file.name: file.read_text() for file in folder.iterdir()}
    assert [name for name in contents if contents[name] != later[name]] == [
        "database_rules_password"
    ]


def test_what_cannot_be_given_away_is_not_left_behind(tmp_path, monkeypatch, capsys):
    def refuse(*_args):
        raise PermissionError

    monkeypatch.setattr(os, "fchown", refuse)
    assert main(tmp_path / "secrets") == 2
    assert "only root may give a file" in capsys.readouterr().err
    assert not list((tmp_path / "secrets").iterdir())


def test_a_secret_is_never_overwritten(tmp_path):
    write_secret(tmp_path / "one", "first")
    with pytest.raises(FileExistsError):
        write_secret(tmp_path / "one")
    assert (tmp_path / "one").read_text() == "first"
