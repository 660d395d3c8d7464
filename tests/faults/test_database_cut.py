"""The database goes away: in the middle of a COMMIT, and altogether."""

import random

import pytest

from tests.faults.acknowledged import acknowledged_and_not_folded
from tests.faults.lives import REST_S
from tests.faults.proxy import AFTER_COMMIT, BEFORE_COMMIT, Proxy
from tests.helpers.distributed_service import ROLES, wait_until

pytestmark = [pytest.mark.slow, pytest.mark.server]

_TERMINATE = (
    "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity"
    " WHERE datname = current_database() AND pid <> pg_backend_pid()"
)


def test_a_commit_that_is_not_heard_or_not_answered_ends_well(start_life):
    rng = random.Random("cut")
    with start_life() as life:
        proxies = {role: Proxy(life.postgres.url) for role in ROLES}
        for role, proxy in proxies.items():
            life.workers.start(role, AEGIS_DATABASE_URL=proxy.url)
        cuts = [(role, when) for role in ROLES for when in (BEFORE_COMMIT, AFTER_COMMIT)]
        part = len(life.trial.messages) // len(cuts)
        for number, (role, when) in enumerate(cuts):
            upto = part if number + 1 < len(cuts) else None
            feed_thread = life.feed_in_background(
                upto, at_once=2, between_s=0.2
            )  # who only ingests commits so
            for _ in range(3):
                proxies[role].cut_next_commit(when)
                wait_until(
                    lambda role=role: not proxies[role].is_armed, REST_S, "no COMMIT was cut"
                )
                proxies[rng.choice(ROLES)].cut_next_commit(
                    rng.choice((BEFORE_COMMIT, AFTER_COMMIT))
                )
            feed_thread.join()
            life.wait_until_quiet(revive=False)
            life.prove(f"COMMIT cut {when} it is done")
        assert set(life.workers.stop().values()) == {0}
        for proxy in proxies.values():
            assert proxy.cuts >= 6
            proxy.close()
        assert acknowledged_and_not_folded(life) == []


def test_backends_that_are_terminated_are_connected_again(start_life):
    with start_life() as life:
        life.workers.start(
            failpoints={"ingest": "ingest.before_commit:3:sleep=1", "rules": _SLOW, "relay": ""}
        )
        for count in (70, None):
            feed_thread = life.feed_in_background(count, at_once=5)
            while feed_thread.is_alive():
                life.postgres.query(_TERMINATE)
                feed_thread.wait(1)
            feed_thread.join()
            life.wait_until_quiet(revive=False)
            life.prove("backends terminated")


_SLOW = "fold.before_commit:2:sleep=1,study.before_commit:2:sleep=1,fold.before_commit:5:sleep=1"


def test_a_database_that_is_killed_and_started_again_has_everything(start_life):
    with start_life() as life:
        life.workers.start()
        for count in (75, None):
            feed_thread = life.feed_in_background(count, at_once=5, between_s=0.02)
            feed_thread.wait(0.5)
            life.postgres.server.kill()
            feed_thread.wait(0.5)
            life.postgres.server.start()
            feed_thread.join()
            life.wait_until_quiet(revive=False)
            life.prove("PostgreSQL killed")
        life.workers.stop()
        assert acknowledged_and_not_folded(life) == []
