"""``recipients.yaml``: read, or refused with the file, the field and what is wrong."""

from pathlib import Path

import pytest

from services.alerts.adapters.recipients_file import RecipientsFileError, load_recipients
from services.alerts.domain.routes import Channel, Recipient

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
    assert people.in_roles(["dsmb"]) == [
        Recipient("dsmb", "Chair", Channel.EMAIL, "chair@x.org"),
        Recipient("dsmb", "Gateway", Channel.WEBHOOK, "https://x.org/hook"),
    ]


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        (
            "roles:\n  dsmb: [{name: Chair, email: chair.x.org}]\n" + OPERATOR,
            "roles.dsmb.0.email: 'chair.x.org' is no e-mail address",
        ),
        (
            "roles:\n  dsmb: [{name: Chair, email: 'chair@x.org, anna@x.org'}]\n" + OPERATOR,
            "roles.dsmb.0.email: 'chair@x.org, anna@x.org' is no e-mail address",
        ),
        (
            "roles:\n  dsmb: [{name: G, webhook: ftp://x.org}]\n" + OPERATOR,
            "roles.dsmb.0.webhook: 'ftp://x.org' is no http:// or https:// address",
        ),
        (
            "roles:\n  dsmb: [{name: G, email: a@x.org, webhook: https://x.org}]\n" + OPERATOR,
            "roles.dsmb.0: give either email or webhook",
        ),
        (
            "roles:\n  dsmb: [{name: Chair}]\n" + OPERATOR,
            "roles.dsmb.0: give either email or webhook",
        ),
        (
            "roles:\n  dsmb: [{name: ' ', email: a@x.org}]\n" + OPERATOR,
            "roles.dsmb.0.name: is empty",
        ),
        (
            "roles:\n  dsmb: [{name: Chair, emial: chair@x.org}]\n" + OPERATOR,
            "roles.dsmb.0.emial: nothing is called that here",
        ),
        ("roles:\n  dsmb: []\n" + OPERATOR, "roles.dsmb: names nobody"),
        (
            "roles:\n  dsmb: [{name: C, email: a@x.org}, {name: C, email: b@x.org}]\n" + OPERATOR,
            "roles.dsmb: 'C' is there twice; give each a name of their own",
        ),
        (
            "roles:\n  dsmb: [{name: C, email: a@x.org}]\n",
            "roles: has no operator, who is told when a notice cannot be delivered",
        ),
        (
            f"roles:\n{OPERATOR}{OPERATOR}",
            "roles.operator: given twice; keep one of them",
        ),
        ("{}", "roles: is missing"),
        ("roles: {}\nrolls: {}\n", "rolls: nothing is called that here"),
        ("", "file: begin with `roles:`"),
        ("roles: [", "is no YAML"),
    ],
)
def test_a_mistake_is_named_with_its_file_and_field(tmp_path, text, problem):
    with pytest.raises(RecipientsFileError) as error:
        load_recipients(write_file(tmp_path, text))
    assert str(error.value).startswith(f"{tmp_path / 'recipients.yaml'}: {problem}")


def test_a_missing_file_is_named(tmp_path):
    with pytest.raises(RecipientsFileError, match=r"recipients\.yaml: cannot be read: No such"):
        load_recipients(tmp_path)


def test_the_trial_names_somebody_for_every_role_that_its_protocol_tells():
    folder = Path(__file__).parent.parent.parent / "studies" / "blina-hsct"
    people = load_recipients(folder)
    for role in ("dsmb", "safety_officer", "principal_investigator", "operator"):
        assert people.in_roles([role]), role
