"""Encryption of raw messages, and keyed hashes of identifiers."""

import hashlib
import hmac
import secrets
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from services.store.private_files import (
    is_open_to_others,
    make_private_folder,
    write_private_file,
)

_KEY_BYTES = 32
_NONCE_BYTES = 12


class VaultError(Exception):
    """A key is missing, readable by others, or the wrong one; the message names the remedy."""


@dataclass(frozen=True, slots=True)
class Ciphertext:
    """Nonce and ciphertext, with the id of their key."""

    key_id: str
    data: bytes


@dataclass(frozen=True, slots=True)
class Keys:
    """The keys of one installation; never shown.

    Args:
        encryption: Key by key id, oldest first; the last one encrypts, all of them decrypt.
        identity: For hashes of identifiers.
        seal: For the seals of the audit trail.
    """

    encryption: Mapping[str, bytes] = field(repr=False)
    identity: bytes = field(repr=False)
    seal: bytes = field(repr=False)

    @property
    def active(self) -> str:
        """The id of the key that encrypts."""
        return list(self.encryption)[-1]

    @classmethod
    def load(cls, folder: Path) -> "Keys":
        """Return the keys in *folder*.

        Raises:
            VaultError: A key is missing, damaged, or readable by other users.
        """
        files = sorted(folder.glob("encryption-*.key"))
        if not files:
            raise VaultError(
                f"no keys in {folder}: restore the folder from its backup, or name the right one"
                " in AEGIS_KEYS; without them the database cannot be read"
            )
        encryption = {make_key_id(key): key for key in map(_read_key, files)}
        return cls(encryption, _read_key(folder / "identity.key"), _read_key(folder / "seal.key"))

    @classmethod
    def load_or_create(cls, folder: Path, *, may_create: bool = True) -> "Keys":
        """Return the keys in *folder*, made on first use.

        Args:
            folder: Outside the folder of the database.
            may_create: False when a database exists already: its keys must be there.

        Raises:
            VaultError: A key is missing, damaged, or readable by other users.
        """
        if may_create and not any(folder.glob("*.key")):
            make_private_folder(folder)
            for name in ("identity.key", "seal.key", "encryption-0001.key"):
                _create_key(folder / name)
        return cls.load(folder)


def name_keys(folder: Path) -> dict[str, str]:
    """Return the id of each key in *folder*, by the name of its file.

    Raises:
        VaultError: One is damaged, or readable by other users.
    """
    return {file.name: make_key_id(_read_key(file)) for file in sorted(folder.glob("*.key"))}


def make_key_id(key: bytes) -> str:
    """Return the 16 hexadecimal digits by which rows name *key*."""
    return hashlib.sha256(b"aegis key id" + key).hexdigest()[:16]


def encrypt(keys: Keys, row_id: str, data: bytes) -> Ciphertext:
    """Return *data* encrypted with the active key and bound to *row_id*."""
    active = keys.active
    nonce = secrets.token_bytes(_NONCE_BYTES)
    cipher = AESGCM(keys.encryption[active])
    return Ciphertext(active, nonce + cipher.encrypt(nonce, data, row_id.encode()))


def decrypt(keys: Keys, row_id: str, ciphertext: Ciphertext) -> bytes:
    """Return the data that was encrypted for the row *row_id*.

    Raises:
        VaultError: The key is not here, or the data, the row id or the key were changed.
    """
    key = keys.encryption.get(ciphertext.key_id)
    if key is None:
        raise VaultError(
            f"row {row_id} needs the key {ciphertext.key_id}, which is not among the keys"
        )
    nonce, text = ciphertext.data[:_NONCE_BYTES], ciphertext.data[_NONCE_BYTES:]
    try:
        return AESGCM(key).decrypt(nonce, text, row_id.encode())
    except (InvalidTag, ValueError):
        raise VaultError(f"row {row_id} was changed, or belongs to another key") from None


def copy_keys(source: Path, target: Path) -> None:
    """Copy every key in the folder *source* to the folder *target*, for this user alone.

    Raises:
        FileExistsError: One of that name is there already; it stays as it is.
    """
    make_private_folder(target)
    for file in sorted(source.glob("*.key")):
        write_private_file(target / file.name, file.read_text())


def hash_identifier(keys: Keys, authority: str, kind: str, identifier: str) -> str:
    """Return the HMAC-SHA256 of an identifier, in 64 hexadecimal digits.

    The parts are framed by their lengths, so that different identifiers never collide.
    """
    parts = (part.encode() for part in (authority, kind, identifier))
    content = b"".join(len(part).to_bytes(4) + part for part in parts)
    return hmac.new(keys.identity, content, hashlib.sha256).hexdigest()


def hash_chain(keys: Keys, previous: str, content: bytes) -> str:
    """Return the HMAC-SHA256 of *content* after *previous*, in 64 hexadecimal digits."""
    return hmac.new(keys.seal, previous.encode() + b"\n" + content, hashlib.sha256).hexdigest()


def _create_key(path: Path) -> None:
    write_private_file(path, secrets.token_hex(_KEY_BYTES) + "\n")


def _read_key(path: Path) -> bytes:
    try:
        is_open, text = is_open_to_others(path), path.read_text()
    except FileNotFoundError:
        raise VaultError(f"the key {path} is missing: restore it from its backup") from None
    if is_open:
        raise VaultError(f"the key {path} can be read by others: chmod 600 {path}")
    try:
        key = bytes.fromhex(text.strip())
    except ValueError:
        key = b""
    if len(key) != _KEY_BYTES:
        raise VaultError(f"the key {path} is damaged: it must be {2 * _KEY_BYTES} hex digits")
    return key
