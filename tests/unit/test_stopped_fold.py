"""A fold that is asked to stop ends before its next message, and leaves nothing behind."""

import threading

import pytest

from services.safety_rules.application.cache import Cache
from services.safety_rules.application.fold_participants import (
    FoldRequest,
    FoldStoppedError,
    fold,
)
from services.safety_rules.workers.journal_worker import JournalWorker
from services.store.journal import Arrival, append_arrivals
from services.store.participants import Participant, add_participants
from services.store.records import load_episode_versions
from services.store.states import load_state
from tests.helpers.fact_notes import HOUR_ZERO, hours, lab
from tests.helpers.random_trials import RULES
from tests.helpers.store import message, new_database

COUNT = 20  # messages, of which each makes a version
SUBJECT = "P-001"


class StopAfter:
    """An event that is set once it has been asked so many times; it counts the questions."""

    def __init__(self, remaining):
        self.remaining, self.asked = remaining, 0

    def is_set(self):
        self.asked += 1
        return self.asked > self.remaining

    def wait(self, _timeout_s):
        return self.is_set()


@pytest.fixture
def db(tmp_path):
    db, keys = new_database(tmp_path)
    with db.write() as conn:
        add_participants(conn, [Participant(SUBJECT, "TRIAL", "north")], HOUR_ZERO)
        for number in range(COUNT):
            value = str(7 + number % 2 / 10)
            result = lab("potassium", value, number, "mmol/L", name=f"k{number}", subject=SUBJECT)
            raw = message(f"m{number}", hours(number))
            append_arrivals(conn, keys, [Arrival(raw, (result,), ())])
    yield db
    db.close()


def find_progress(db):
    """The last folded fact of the participant, and the number of its versions."""
    with db.read() as conn:
        return load_state(conn, SUBJECT).folded_through, len(load_episode_versions(conn))


@pytest.mark.parametrize("message_count", [0, 1, COUNT - 1])
def test_a_stopped_fold_writes_nothing_and_the_next_one_folds_all(db, message_count):
    stop, cache = StopAfter(message_count), Cache()
    request = FoldRequest(hours(COUNT), is_stopped=stop.is_set)
    with pytest.raises(FoldStoppedError):
        fold(db, RULES, cache, [SUBJECT], request)
    assert stop.asked == message_count + 1
    assert (find_progress(db), len(cache)) == ((0, 0), 0)
    assert fold(db, RULES, cache, [SUBJECT], FoldRequest(hours(COUNT))).facts == COUNT
    assert find_progress(db)[0] == COUNT


def test_a_history_that_is_read_again_is_given_up_too(db):
    fold(db, RULES, Cache(), [SUBJECT], FoldRequest(hours(COUNT)))
    versions = find_progress(db)
    request = FoldRequest(hours(COUNT), is_stopped=StopAfter(COUNT - 1).is_set)
    with pytest.raises(FoldStoppedError):
        fold(db, RULES, Cache(), [SUBJECT], request)
    assert find_progress(db) == versions


def test_a_worker_ends_within_a_step_and_another_goes_on(db):
    worker = JournalWorker(db, RULES, "first", lambda: hours(COUNT))
    worker.run(StopAfter(COUNT // 2))
    assert find_progress(db) == (0, 0)
    other_worker = JournalWorker(db, RULES, "second", lambda: hours(COUNT))
    stop = threading.Event()
    other_worker.on_step = lambda _folded, _decided: stop.set()
    other_worker.run(stop)
    assert find_progress(db)[0] == COUNT
