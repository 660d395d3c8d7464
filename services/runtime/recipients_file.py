"""A study's ``recipients.yaml``: who is told, in which role, at which address."""

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Literal

from services.runtime.file_models import StrictModel, read_model
from services.runtime.strict_yaml import read_yaml, read_yaml_file

RECIPIENTS = "recipients.yaml"


class RecipientRow(StrictModel):
    """One person, function mailbox or system in one role.

    A person stands by their id (`aegis people list`) and is told at their own address; *email* is
    used only while there is nobody yet. The others have a *name*, and an address here.
    """

    person: str = ""
    name: str = ""
    email: str = ""
    webhook: str = ""
    alertmanager: str = ""
    chat: str = ""  # a name in the file of chats: their addresses hold secrets

    @property
    def addresses(self) -> Mapping[str, str]:
        """Each address that it gives, by channel."""
        channels = ("email", "webhook", "alertmanager", "chat")
        return {name: address for name in channels if (address := getattr(self, name))}


class RecipientsFile(StrictModel):
    """``recipients.yaml``, word for word."""

    roles: Mapping[str, tuple[RecipientRow, ...]]
    acknowledge: Mapping[str, Literal["each", "any"]] = {"dsmb": "each"}  # any other role: any


def list_person_ids(text: str) -> frozenset[str]:
    """Return the ids of the persons in the *text* of a file that can be run by.

    >>> list_person_ids("roles: {dsmb: [{person: chair}, {name: box, email: box@example.org}]}")
    frozenset({'chair'})
    """
    content = read_model(read_yaml(text, RECIPIENTS), RecipientsFile)
    return frozenset(row.person for rows in content.roles.values() for row in rows if row.person)


def read_recipients_file(folder: Path) -> RecipientsFile:
    """Return everybody whom the study in *folder* names, by role.

    Raises:
        UntrustedFileError: It is missing or not YAML; a key is missing, unknown or given twice; an
            address is none; a person could not be told from another; a role is nobody's, or names
            how it acknowledges and is not there.
    """
    document = read_yaml_file(folder / RECIPIENTS)
    content = read_model(document, RecipientsFile)
    if faults := [*_find_faults(content.roles), *_find_unknown_roles(content)]:
        raise document.refusal(faults)
    return content


def _find_unknown_roles(content: RecipientsFile) -> Iterator[tuple[str, str]]:
    if "acknowledge" not in content.model_fields_set:
        return
    for role in content.acknowledge:
        if role not in content.roles:
            yield f"acknowledge.{role}", "is no role of this file: name one that is under roles"


def _find_faults(roles: Mapping[str, Sequence[RecipientRow]]) -> Iterator[tuple[str, str]]:
    for role, rows in roles.items():
        if not rows:
            yield f"roles.{role}", "names nobody: add somebody, or remove it"
        names = [row.person or row.name for row in rows]
        for index, row in enumerate(rows):
            place = f"roles.{role}.{index + 1}"
            yield from ((f"{place}{field}", problem) for field, problem in _find_row_faults(row))
            if names[index] in names[:index]:
                field = "person" if row.person else "name"
                problem = f"{names[index]!r} is there twice: give each a name of their own"
                yield f"{place}.{field}", problem


def _find_row_faults(row: RecipientRow) -> Iterator[tuple[str, str]]:
    if row.person:
        yield from _find_person_faults(row)
    elif not row.name.strip():
        yield ".name", "is empty"
    if not row.person and len(row.addresses) != 1:
        yield "", "give one of email, webhook, alertmanager and chat"
    if row.email and not _is_address(row.email):
        yield ".email", f"{row.email!r} is no e-mail address"
    for field in ("webhook", "alertmanager"):
        if (url := getattr(row, field)) and not _is_url(url):
            yield f".{field}", f"{url!r} is no http:// or https:// address"
    if row.chat and "://" in row.chat:
        yield ".chat", "is an address, which holds a secret: name the chat, as its file does"


def _find_person_faults(row: RecipientRow) -> Iterator[tuple[str, str]]:
    if row.name:
        yield ".name", "a person has the name that they signed up with: remove it"
    for channel in row.addresses.keys() - {"email"}:
        yield f".{channel}", f"a person is told by mail: give the {channel} an entry of its own"


def _is_address(text: str) -> bool:
    name, at, host = text.partition("@")
    return bool(name and at and host) and "@" not in host and not any(map(str.isspace, text))


def _is_url(text: str) -> bool:
    scheme, _, rest = text.partition("://")
    return scheme in ("http", "https") and bool(rest) and not any(map(str.isspace, text))
