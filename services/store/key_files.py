"""Key files: one key of 64 hexadecimal digits in each, which their owner alone may read."""

import hashlib
import re
import secrets
import stat
from collections.abc import Mapping
from enum import StrEnum
from importlib import import_module
from pathlib import Path
from types import MappingProxyType
from typing import Final

from services.store.private_files import (
    OWNER_ONLY_FOLDER,
    is_open_to_others,
    make_private_folder,
    write_private_file,
)

_KEY_BYTES = 32
_ENCRYPTION_FILES = "encryption-*.key"


class VaultError(Exception):
    """A key is missing, readable by others, or the wrong one; the message names the remedy."""


class Purpose(StrEnum):
    """The use of a key: each has its own, so that who holds one can do nothing else."""

    ENCRYPTION = "encryption"  # of raw messages
    IDENTITY = "identity"  # hashes of identifiers
    SEAL = "seal"  # of the audit trail
    LINKS = "links"  # of acknowledgement, in mails


# Those of which there is one only; of encryption there are encryption-0001.key, ...
SINGLE_FILES: Final[Mapping[Purpose, str]] = MappingProxyType(
    {one: f"{one.value}.key" for one in Purpose if one is not Purpose.ENCRYPTION}
)
FIRST_ENCRYPTION_FILE: Final = "encryption-0001.key"


def make_key_id(key: bytes) -> str:
    """Return the 16 hexadecimal digits by which rows name *key*."""
    return hashlib.sha256(b"aegis key id" + key).hexdigest()[:16]


def create_key(path: Path) -> None:
    """Write a new random key to the new file *path*.

    Raises:
        FileExistsError: There is one of that name; it stays as it is.
    """
    write_private_file(path, secrets.token_hex(_KEY_BYTES) + "\n")


def create_missing_keys(folder: Path, purposes: frozenset[Purpose]) -> None:
    """Make a key for each of *purposes* that has none in *folder*."""
    make_private_folder(folder)
    for purpose in sorted(purposes - {Purpose.ENCRYPTION}):
        if not (folder / SINGLE_FILES[purpose]).exists():
            create_key(folder / SINGLE_FILES[purpose])
    if Purpose.ENCRYPTION in purposes and not list_encryption_files(folder):
        create_key(folder / FIRST_ENCRYPTION_FILE)


def list_encryption_files(folder: Path) -> list[Path]:
    """Return the files of encryption keys in *folder*, oldest first."""
    return sorted(folder.glob(_ENCRYPTION_FILES))


def find_next_encryption_file(folder: Path) -> Path:
    """Return the name of the file for the next encryption key; there is none of it yet."""
    numbers = [
        int(match[1])
        for file in list_encryption_files(folder)
        if (match := re.fullmatch(r"encryption-(\d+)\.key", file.name))
    ]
    return folder / f"encryption-{max(numbers, default=0) + 1:04}.key"


def read_key(path: Path) -> bytes:
    """Return the key in *path*.

    Raises:
        VaultError: It is missing, damaged, or readable by other users.
    """
    try:
        is_open, text = is_open_to_others(path), path.read_text()
    except FileNotFoundError:
        raise VaultError(f"the key {path} is missing: restore it from its backup") from None
    except UnicodeDecodeError:
        is_open, text = False, ""
    if is_open:
        raise VaultError(f"the key {path} can be read by others: chmod 600 {path}")
    try:
        key = bytes.fromhex(text.strip())
    except ValueError:
        key = b""
    if len(key) != _KEY_BYTES:
        raise VaultError(f"the key {path} is damaged: it must be {2 * _KEY_BYTES} hex digits")
    return key


def name_keys(folder: Path) -> dict[str, str]:
    """Return the id of each key in *folder*, by the name of its file.

    Raises:
        VaultError: One is damaged, or readable by other users.
    """
    return {file.name: make_key_id(read_key(file)) for file in sorted(folder.glob("*.key"))}


def copy_keys(source: Path, target: Path) -> None:
    """Copy every key in the folder *source* to the folder *target*, for this user alone.

    Raises:
        FileExistsError: One of that name is there already; it stays as it is.
    """
    make_private_folder(target)
    for file in sorted(source.glob("*.key")):
        write_private_file(target / file.name, file.read_text())


def require_private_folder(folder: Path) -> None:
    """Require that nobody else can put a key into *folder*; one of ours is closed to others.

    A folder of somebody else that others may only read is let be: Kubernetes mounts secrets so.

    Raises:
        VaultError: Others may write to it, and this user cannot change that.
    """
    if not folder.is_dir() or not is_open_to_others(folder):
        return
    if all(path.suffix == ".key" for path in folder.iterdir()):
        try:
            folder.chmod(OWNER_ONLY_FOLDER)
        except OSError:
            pass
        else:
            log = import_module("services.runtime.log")  # seldom: it takes time
            log.make_logger("store").warning("keys_folder_closed", place=str(folder))
            return
    if folder.stat().st_mode & (stat.S_IWGRP | stat.S_IWOTH):
        raise VaultError(f"others can write to the folder of the keys: chmod 700 {folder}")
