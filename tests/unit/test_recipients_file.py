"""``recipients.yaml``: read, or refused with the file, the field and what is wrong."""

from pathlib import Path

import pytest

from services.alerts.adapters.study_recipients import load_recipients
from services.alerts.domain.routes import Channel, Recipient
from services.runtime.file_error import UntrustedFileError

OPERATOR = "  operator: [{name: Operator, email: op@x.org}]\n"


def write_file(folder, text):
    (folder / "recipients.yaml").write_text(text)
    return folder


def test_each_role_has_its_people_with_their_channels(tmp_path):
    people = load_recipients(
        write_file(
            tmp_path,
            "roles:\n  dsmb:\n    - {name: Chair, email: chair@x.org}\n"
            "    - {name: Gateway, webhook: 'https://x.org/hook'}\n" + OPERATOR,
        )
    )
    assert people.list_in_roles(["dsmb"]) == [
        Recipient("dsmb", "Chair", Channel.EMAIL, "chair@x.org"),
        Recipient("dsmb", "Gateway", Channel.WEBHOOK, "https://x.org/hook"),
    ]


def test_a_person_is_named_by_id_with_an_address_for_the_time_before_there_is_anybody(tmp_path):
    roles = "roles:\n  dsmb: [{person: ann}, {person: ben, email: b@x.org}]\n"
    people = load_recipients(write_file(tmp_path, roles + OPERATOR))
    assert people.list_in_roles(["dsmb"]) == [
        Recipient("dsmb", "ann", Channel.EMAIL, "", is_person=True),
        Recipient("dsmb", "ben", Channel.EMAIL, "b@x.org", is_person=True),
    ]


BAD = {  # the file, its fault
    "an address without a host": (
        "roles:\n  dsmb: [{name: Chair, email: chair.x.org}]\n" + OPERATOR,
        "line 2, roles.dsmb.1.email: 'chair.x.org' is no e-mail address",
    ),
    "two addresses": (
        "roles:\n  dsmb: [{name: Chair, email: 'chair@x.org, anna@x.org'}]\n" + OPERATOR,
        "line 2, roles.dsmb.1.email: 'chair@x.org, anna@x.org' is no e-mail address",
    ),
    "an address of no web server": (
        "roles:\n  dsmb:\n  - name: G\n    webhook: ftp://x.org\n" + OPERATOR,
        "line 4, roles.dsmb.1.webhook: 'ftp://x.org' is no http:// or https:// address",
    ),
    "two channels": (
        "roles:\n  dsmb: [{name: G, email: a@x.org, webhook: https://x.org}]\n" + OPERATOR,
        "line 2, roles.dsmb.1: give one of email, webhook, alertmanager and chat",
    ),
    "no channel": (
        "roles:\n  dsmb: [{name: Chair}]\n" + OPERATOR,
        "line 2, roles.dsmb.1: give one of email, webhook, alertmanager and chat",
    ),
    "no name": (
        "roles:\n  dsmb: [{name: ' ', email: a@x.org}]\n" + OPERATOR,
        "line 2, roles.dsmb.1.name: is empty",
    ),
    "a key that nobody knows": (
        "roles:\n  dsmb: [{name: Chair, emial: chair@x.org}]\n" + OPERATOR,
        "line 2, roles.dsmb.1.emial: there is no such key; did you mean 'email'?",
    ),
    "a role that nobody has": (
        "roles:\n  dsmb: []\n" + OPERATOR,
        "line 2, roles.dsmb: names nobody: add somebody, or remove it",
    ),
    "a role left empty": (
        "roles:\n  dsmb:\n" + OPERATOR,
        'line 2, roles.dsmb: has no value: write one, or [], {} or ""',
    ),
    "two of one name": (
        "roles:\n  dsmb: [{name: C, email: a@x.org},\n   {name: C, email: b@x.org}]\n" + OPERATOR,
        "line 3, roles.dsmb.2.name: 'C' is there twice: give each a name of their own",
    ),
    "a person twice": (
        "roles:\n  dsmb: [{person: ann},\n   {person: ann}]\n" + OPERATOR,
        "line 3, roles.dsmb.2.person: 'ann' is there twice: give each a name of their own",
    ),
    "a person with a name": (
        "roles:\n  dsmb: [{person: ann, name: Ann}]\n" + OPERATOR,
        "line 2, roles.dsmb.1.name: a person has the name that they signed up with: remove it",
    ),
    "a person with a webhook": (
        "roles:\n  dsmb: [{person: ann, webhook: 'https://x.org'}]\n" + OPERATOR,
        "line 2, roles.dsmb.1.webhook: a person is told by mail: give the webhook an entry of its own",  # noqa: E501
    ),
    "a role given twice": (
        f"roles:\n{OPERATOR}{OPERATOR}",
        "line 3, roles.operator: is given twice: remove one",
    ),
    "no roles": ("{}", "line 1, roles: is missing: add it"),
    "a key of the file": (
        "roles: {}\nrolls: {}\n",
        "line 2, rolls: there is no such key; it is one of: roles, acknowledge",
    ),
    "nothing": ("", ": is empty"),
    "no mapping": ("[]", "line 1: must be keys with values (key: value)"),
}


@pytest.mark.parametrize(("text", "problem"), BAD.values(), ids=BAD)
def test_a_mistake_is_named_with_its_file_and_field(tmp_path, text, problem):
    with pytest.raises(UntrustedFileError) as refusal:
        load_recipients(write_file(tmp_path, text))
    separator = " " if problem.startswith("line") else ""
    assert str(refusal.value) == f"{tmp_path / 'recipients.yaml'}{separator}{problem}"


def test_a_missing_file_is_named(tmp_path):
    with pytest.raises(UntrustedFileError, match=r"recipients\.yaml: cannot be read: No such"):
        load_recipients(tmp_path)


def test_the_trial_names_somebody_for_every_role_that_its_protocol_tells():
    folder = Path(__file__).parent.parent.parent / "studies" / "blina-hsct"
    people = load_recipients(folder)
    for role in ("dsmb", "safety_officer", "principal_investigator", "operator"):
        assert people.list_in_roles([role]), role
