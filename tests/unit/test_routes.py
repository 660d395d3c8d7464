"""From roles to people."""

import pytest

from services.alerts.domain.routes import Channel, Recipient, Recipients, remove_repeated_addresses


def make_recipient(role, name, address, channel=Channel.EMAIL):
    return Recipient(role, name, channel, address)


CHAIR = make_recipient("dsmb", "Chair", "chair@x.org")
STATISTICIAN = make_recipient("dsmb", "Statistician", "stat@x.org")
OFFICER = make_recipient("safety", "Officer", "officer@x.org")
STAND_IN = make_recipient("safety", "Chair for safety", "chair@x.org")
GATEWAY = make_recipient("safety", "Gateway", "https://x.org/hook", Channel.WEBHOOK)
PEOPLE = Recipients({"dsmb": (CHAIR, STATISTICIAN), "safety": (OFFICER, STAND_IN, GATEWAY)})


@pytest.mark.parametrize(
    ("roles", "people"),
    [
        ((), []),
        (("nobody",), []),
        (("dsmb",), [CHAIR, STATISTICIAN]),
        (("safety",), [OFFICER, STAND_IN, GATEWAY]),
        (("dsmb", "safety"), [CHAIR, STATISTICIAN, OFFICER, GATEWAY]),
        (("safety", "dsmb"), [OFFICER, STAND_IN, GATEWAY, STATISTICIAN]),
        (("dsmb", "dsmb"), [CHAIR, STATISTICIAN]),
    ],
)
def test_who_has_several_roles_is_told_once_per_address(roles, people):
    assert PEOPLE.list_in_roles(roles) == people


def test_the_same_words_as_e_mail_and_as_webhook_are_two_addresses():
    recipients = [CHAIR, make_recipient("dsmb", "Chair", "chair@x.org", Channel.WEBHOOK)]
    assert remove_repeated_addresses([*recipients, *recipients]) == recipients


@pytest.mark.parametrize(
    ("role", "name", "channel", "expected"),
    [
        ("dsmb", "Chair", "email", CHAIR),
        ("safety", "Gateway", "webhook", GATEWAY),
        ("safety", "Gateway", "email", None),
        ("safety", "Chair", "email", None),
        ("gone", "Chair", "email", None),
    ],
)
def test_the_recipient_of_a_stored_notice_is_found_while_the_file_names_it(
    role, name, channel, expected
):
    assert PEOPLE.find(role, name, channel) == expected
