"""Facts as they are stored: what a site numbers is hashed, and the digest is that of the rest."""

import re

import pytest
from msgspec import structs

from services.ingest.stored_facts import build_sent_fact, hash_visit
from services.runtime.wire import digest_clinical
from services.vocabulary.clinical_fact import Death, Enrolment
from services.vocabulary.fact import ResultKey
from services.vocabulary.identity_change import Move
from tests.helpers.fact_notes import HOUR_ZERO, fact, lab
from tests.helpers.store import new_database

NUMBER = "LAB-7789"
HASH = re.compile(r"[0-9a-f]{32}")


@pytest.fixture(scope="module")
def keys(tmp_path_factory):
    db, keys = new_database(tmp_path_factory.mktemp("keys"))
    db.close()
    return keys


@pytest.mark.parametrize(
    "sent_fact",
    [
        lab("alt", "30", series=NUMBER, visit=NUMBER, result_key=ResultKey(*[NUMBER] * 4)),
        fact(Move("P-001", "P-002", NUMBER, NUMBER), visit=NUMBER, series=NUMBER),
        fact(Death(), visit=NUMBER),
    ],
)
def test_no_number_of_a_site_stays_in_a_fact_that_is_sent(keys, sent_fact):
    stored_fact = build_sent_fact(keys, sent_fact, "id", "west", "west")
    assert NUMBER not in repr(stored_fact)
    assert stored_fact.visit == hash_visit(keys, "west", NUMBER)
    assert HASH.fullmatch(stored_fact.visit)


def test_the_digest_is_that_of_what_is_stored(keys):
    sent_fact = lab("alt", "30", series=NUMBER)
    stored_fact = build_sent_fact(keys, sent_fact, "id", "", "west")
    assert stored_fact.digest == digest_clinical(
        "P-001", HOUR_ZERO, sent_fact.body, stored_fact.status, stored_fact.series
    )
    assert (
        structs.replace(stored_fact, id=sent_fact.id, digest=sent_fact.digest, series=NUMBER)
        == sent_fact
    )


def test_an_enrolment_is_at_the_site_of_its_participant(keys):
    stored_fact = build_sent_fact(keys, fact(Enrolment("another", "female")), "id", "", "west")
    assert stored_fact.body == Enrolment("west", "female")
