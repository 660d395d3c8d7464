"""From roles to people."""

import pytest

from services.alerts.domain.routes import Channel, Recipient, Recipients, each_address_once


def someone(role, name, address, channel=Channel.EMAIL):
    return Recipient(role, name, channel, address)


CHAIR = someone("dsmb", "Chair", "chair@x.org")
STATISTICIAN = someone("dsmb", "Statistician", "stat@x.org")
OFFICER = someone("safety", "Officer", "officer@x.org")
STAND_IN = someone("safety", "Chair for safety", "chair@x.org")
GATEWAY = someone("safety", "Gateway", "https://x.org/hook", Channel.WEBHOOK)
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
    assert PEOPLE.of(roles) == people


def test_the_same_words_as_e_mail_and_as_webhook_are_two_addresses():
    both = [CHAIR, someone("dsmb", "Chair", "chair@x.org", Channel.WEBHOOK)]
    assert each_address_once([*both, *both]) == both


@pytest.mark.parametrize(
    ("role", "name", "channel", "found"),
    [
        ("dsmb", "Chair", "email", CHAIR),
        ("safety", "Gateway", "webhook", GATEWAY),
        ("safety", "Gateway", "email", None),
        ("safety", "Chair", "email", None),
        ("gone", "Chair", "email", None),
    ],
)
def test_the_recipient_of_a_stored_notice_is_found_while_the_file_names_it(
    role, name, channel, found
):
    assert PEOPLE.find(role, name, channel) == found
