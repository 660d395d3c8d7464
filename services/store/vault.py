"""Encryption of raw messages, and keyed hashes of identifiers and of the audit trail."""

import hmac
import secrets
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from services.store.key_files import (
    SINGLE_FILES,
    Purpose,
    VaultError,
    create_missing_keys,
    list_encryption_files,
    make_key_id,
    read_key,
    require_private_folder,
)

__all__ = ["ALL_PURPOSES", "WITHOUT_LINKS", "Ciphertext", "Keys", "Purpose", "VaultError"]

ALL_PURPOSES = frozenset(Purpose)
WITHOUT_LINKS = ALL_PURPOSES - {Purpose.LINKS}  # what the first releases had
_NONCE_BYTES = 12


@dataclass(frozen=True, slots=True)
class Ciphertext:
    """Nonce and ciphertext, with the id of their key."""

    key_id: str
    data: bytes


@dataclass(frozen=True, slots=True)
class Keys:
    """The keys that one process has; never shown.

    Args:
        folder: Where they are; an encryption key that came later is looked for there.
        encryption: Key by key id, oldest first.
        single: Of each other purpose; a process lacks those that it does not need.
    """

    folder: Path
    encryption: dict[str, bytes] = field(repr=False)
    single: Mapping[Purpose, bytes] = field(repr=False)

    @classmethod
    def load(cls, folder: Path, needs: Collection[Purpose] = WITHOUT_LINKS) -> "Keys":
        """Return the keys in *folder*.

        Raises:
            VaultError: A key that is needed is missing, one is damaged or readable by other users,
                or others may write to the folder.
        """
        require_private_folder(folder)
        files = list_encryption_files(folder)
        if Purpose.ENCRYPTION in needs and not files:
            raise VaultError(
                f"no keys in {folder}: restore the folder from its backup, or name the right one"
                " in AEGIS_KEYS; without them the database cannot be read"
            )
        encryption = {make_key_id(key): key for key in map(read_key, files)}
        single = {
            purpose: read_key(folder / name)
            for purpose, name in SINGLE_FILES.items()
            if purpose in needs or (folder / name).exists()
        }
        return cls(folder, encryption, single)

    @classmethod
    def load_or_create(cls, folder: Path) -> "Keys":
        """Return the keys in *folder*; each that is missing is made.

        Args:
            folder: Outside the folder of the database.

        Raises:
            VaultError: A key is damaged or readable by other users.
        """
        create_missing_keys(folder, ALL_PURPOSES)
        return cls.load(folder)

    def get_key(self, purpose: Purpose) -> bytes:
        """Return the key of *purpose*, which is not encryption.

        Raises:
            VaultError: This process has none.
        """
        key = self.single.get(purpose)
        if key is None:
            raise VaultError(f"there is no {SINGLE_FILES[purpose]} in {self.folder}")
        return key

    def find_encryption_key(self, key_id: str) -> bytes | None:
        """Return the encryption key *key_id*, also of a file that came later; None: not here."""
        if key_id not in self.encryption:
            for file in list_encryption_files(self.folder):
                try:
                    key = read_key(file)
                except (VaultError, OSError):  # somebody is just putting it there
                    continue
                self.encryption[make_key_id(key)] = key
        return self.encryption.get(key_id)

    def list_ids(self) -> dict[str, Purpose]:
        """Return the purpose of each key by its id."""
        ids = dict.fromkeys(self.encryption, Purpose.ENCRYPTION)
        return ids | {make_key_id(key): purpose for purpose, key in self.single.items()}


def encrypt(keys: Keys, key_id: str, row_id: str, data: bytes) -> Ciphertext:
    """Return *data* encrypted for the row *row_id* with the key *key_id* of *keys*."""
    nonce = secrets.token_bytes(_NONCE_BYTES)
    cipher = AESGCM(keys.encryption[key_id])
    return Ciphertext(key_id, nonce + cipher.encrypt(nonce, data, row_id.encode()))


def decrypt(keys: Keys, row_id: str, ciphertext: Ciphertext) -> bytes:
    """Return the data that was encrypted for the row *row_id*.

    Raises:
        VaultError: The key is not here, or the data, the row id or the key were changed.
    """
    key = keys.find_encryption_key(ciphertext.key_id)
    if key is None:
        raise VaultError(
            f"row {row_id} needs the key {ciphertext.key_id}, which is not among the keys"
        )
    nonce, text = ciphertext.data[:_NONCE_BYTES], ciphertext.data[_NONCE_BYTES:]
    try:
        return AESGCM(key).decrypt(nonce, text, row_id.encode())
    except (InvalidTag, ValueError):
        raise VaultError(f"row {row_id} was changed, or belongs to another key") from None


def hash_identifier(keys: Keys, authority: str, kind: str, identifier: str) -> str:
    """Return the HMAC-SHA256 of an identifier, in 64 hexadecimal digits.

    The parts are framed by their lengths, so that different identifiers never collide.
    """
    content = b"".join(_frame(part.encode()) for part in (authority, kind, identifier))
    return hmac.digest(keys.get_key(Purpose.IDENTITY), content, "sha256").hex()


def hash_chain(keys: Keys, previous: str, content: bytes) -> str:
    """Return the HMAC-SHA256 of *content* after *previous*, in 64 hexadecimal digits."""
    chained = previous.encode() + b"\n" + content
    return hmac.digest(keys.get_key(Purpose.SEAL), chained, "sha256").hex()


def _frame(part: bytes) -> bytes:
    return len(part).to_bytes(4) + part
