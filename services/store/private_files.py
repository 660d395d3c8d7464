"""Files that their owner alone may read, whatever the umask and the folder they are in."""

import errno
import os
import stat
from contextlib import suppress
from pathlib import Path

OWNER_ONLY_FILE, OWNER_ONLY_FOLDER = 0o600, 0o700


def write_private_file(path: Path, text: str) -> None:
    """Write *text* to the new file *path*: all of it or nothing; it is on disk when this returns.

    Raises:
        FileExistsError: There is one of that name; it stays as it is.
    """
    if path.exists():
        raise FileExistsError(errno.EEXIST, os.strerror(errno.EEXIST), str(path))
    replace_private_file(path, text)


def replace_private_file(path: Path, text: str) -> None:
    """Write *text* to *path*, in place of what was there: all of it or nothing."""
    unfinished_path = path.with_name(f"{path.name}.new")
    unfinished_path.unlink(missing_ok=True)  # of a process that was killed
    handle = os.open(unfinished_path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, OWNER_ONLY_FILE)
    with os.fdopen(handle, "w") as file:
        os.fchmod(handle, OWNER_ONLY_FILE)  # a umask may have taken the owner's right, too
        file.write(text)
        file.flush()
        os.fsync(handle)
    unfinished_path.rename(path)
    sync_folder(path.parent)


def is_open_to_others(path: Path) -> bool:
    """Return True if another user than its owner has any right to *path*."""
    return bool(path.stat().st_mode & (stat.S_IRWXG | stat.S_IRWXO))


def make_private_folder(folder: Path) -> None:
    """Let there be *folder*, which its owner alone may enter; so are new ones above it.

    Those above it that are there stay as they are; so does a folder with files, or of somebody
    else.
    """
    if not folder.parent.exists():
        make_private_folder(folder.parent)
    folder.mkdir(exist_ok=True)
    if not any(folder.iterdir()):
        with suppress(PermissionError):
            folder.chmod(OWNER_ONLY_FOLDER)


def sync_folder(folder: Path) -> None:
    """Let the names of new files in *folder* be on disk."""
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
