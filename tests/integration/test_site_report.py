"""Each site beside the rest, from the standings that were known at a cut."""

from datetime import timedelta
from pathlib import Path

import pytest

from services.safety_rules.adapters.study_rules import load_rules
from services.safety_rules.application.decide_study import decide_rules
from services.safety_rules.reports.site_report import compare_sites
from services.store.journal import Arrival, append_arrivals
from services.store.participants import Participant, add_participants
from services.store.records import StandingRow, append_standings
from services.vocabulary.standing import CountedEvent, Standing
from tests.helpers.fact_notes import HOUR_ZERO, lab
from tests.helpers.store import message, new_database

RULES = load_rules(Path(__file__).parents[2] / "studies" / "blina-hsct").rules
STUDY = RULES.protocol.study
S1, W1 = "BLINA-HSCT.S1", "BLINA-HSCT.W1"


def day(number):
    return HOUR_ZERO + timedelta(days=number)


def standing(participant, rule=S1, event=None, ends=30):
    """Treated on day 0, with the event on a day or without it."""
    counts = CountedEvent(day(event), "astct-2019.crs@", 3, confirmed=False) if event else None
    return Standing(participant, rule, exposed_at=day(0), window_ends_at=day(ends), event=counts)


@pytest.fixture
def network(tmp_path):
    """Six treated at *north*, four of them with an event by day 5, and 14 elsewhere with none."""
    db, keys = new_database(tmp_path)
    sites = {f"P-{n:02}": "north" if n < 6 else f"other-{n % 2}" for n in range(20)}
    with db.write() as conn:
        add_participants(
            conn, [Participant(p, STUDY, site) for p, site in sites.items()], HOUR_ZERO
        )
        facts = tuple(lab("alt", "30", day(31), "U/L", subject=p, name=f"a-{p}") for p in sites)
        append_arrivals(conn, keys, [Arrival(message("m1", day(31)), facts)])
        rows = [StandingRow(standing(p, rule), day(1), 1) for p in sites for rule in (S1, W1)]
        append_standings(conn, rows)
        events = [standing(f"P-{n:02}", event=5) for n in range(4)]
        append_standings(conn, [StandingRow(one, day(6), 2) for one in events])

    def says(as_of=None):
        with db.read() as conn:
            return compare_sites(conn, RULES, None if as_of is None else day(as_of))

    return says


def test_a_site_stands_out_although_it_is_small(network):
    rows = {row.site: row for row in network(as_of=40).rows}
    north = rows["north"]
    counts = north.so_far
    assert (counts.events, counts.participants, counts.other_events, counts.other_participants) == (
        4,
        6,
        0,
        14,
    )
    # all 4 events among the 6 of the site: C(6,4) / C(20,4) = 15 / 4845, times 3 sites
    assert north.test.one_sided == pytest.approx(15 / 4845)
    assert north.holm_more == pytest.approx(3 * 15 / 4845)
    assert north.says == "more than the rest"
    assert {rows[site].says for site in ("other-0", "other-1")} == {"no difference seen"}


def test_the_sites_together_are_what_the_rule_says(network, tmp_path):
    db, _ = new_database(tmp_path)
    with db.read() as conn:
        decision = next(d for d in decide_rules(conn, RULES, day(20)) if d.rule == S1)
    for row in network(as_of=20).rows:
        counts = row.so_far
        assert counts.events + counts.other_events == decision.events
        assert counts.participants + counts.other_participants == decision.evaluable
        assert row.effective + row.other_effective == pytest.approx(decision.ess)


def test_the_cut_is_that_of_the_rules_also_when_a_timer_was_the_last_to_speak(network, tmp_path):
    db, _ = new_database(tmp_path)
    with db.write() as conn:  # 72 hours have passed since a grade: nothing came, something is known
        append_standings(conn, [StandingRow(standing("P-05", event=9), day(50), 2)])
    with db.read() as conn:
        decision = next(d for d in decide_rules(conn, RULES) if d.rule == S1)
    view = network()
    assert view.as_of == decision.as_of == day(50)
    assert {row.so_far.events + row.so_far.other_events for row in view.rows} == {5}


def test_only_rules_with_events_compare(network):
    assert {row.rule for row in network(as_of=40).rows} == {S1}
    assert network(as_of=2).rows == ()


def test_who_is_still_followed_is_not_in_the_comparison_of_complete_windows(network):
    earlier, later = network(as_of=20).rows[0], network(as_of=40).rows[0]
    assert (earlier.site, earlier.so_far.events, earlier.window_over.participants) == (
        "north",
        4,
        0,
    )
    assert (
        later.window_over.events,
        later.window_over.participants,
        later.window_over.other_participants,
    ) == (
        4,
        6,
        14,
    )
    assert earlier.effective == pytest.approx(4)  # nobody was seen again yet
    assert later.effective == pytest.approx(6)


def test_before_anything_is_known_there_is_nothing_to_compare(tmp_path):
    db, _ = new_database(tmp_path)
    with db.read() as conn:
        assert compare_sites(conn, RULES) is None


def test_one_site_alone_has_no_rest(tmp_path):
    db, keys = new_database(tmp_path)
    with db.write() as conn:
        add_participants(conn, [Participant("P-1", STUDY, "north")], HOUR_ZERO)
        append_arrivals(
            conn, keys, [Arrival(message("m1", HOUR_ZERO), (lab("alt", "30", subject="P-1"),))]
        )
        append_standings(conn, [StandingRow(standing("P-1", event=5), HOUR_ZERO, 1)])
        assert compare_sites(conn, RULES, day(9)).rows == ()
