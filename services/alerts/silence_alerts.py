"""The alerts of silence: of a site, of a participant in hospital, of the engine."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from services.alerts.domain.silence import Rhythm, is_silent, learn_rhythm
from services.alerts.feeds import Feed, FeedHistory
from services.alerts.raise_alerts import OperationsEvent, make_operations_alert
from services.runtime.sites_file import SiteRow
from services.store import heartbeat, journal, participants, records
from services.store.session import Connection
from services.vocabulary.alert import Alert, AlertKind
from services.vocabulary.clinical_fact import Movement
from services.vocabulary.operations import SilenceDetail

ENGINE_WITHIN = timedelta(minutes=5)
_TIMES_OF_SITE = 2  # a participant is silent after twice the time of the site
_IN_HOSPITAL = ("admission", "ward", "icu")


@dataclass(frozen=True, slots=True)
class Silence:
    """A source from which nothing comes, since when, and the gap that is usual."""

    kind: AlertKind
    source: str
    feed: str
    last_at: datetime
    usual_gap: timedelta
    is_learned: bool = False


def list_silences(
    conn: Connection,
    study: str,
    sites: Sequence[SiteRow],
    history: FeedHistory,
    instant: datetime,
) -> Iterator[Silence]:
    """Yield everything that is silent at *instant* (aware), of *history* as it was read."""
    rhythms = {
        (site.id, feed): rhythm
        for site in sites
        for feed in Feed
        if (rhythm := find_rhythm(site, feed, history)) is not None
    }
    for (site_id, feed), rhythm in rhythms.items():
        arrivals = history.list_arrivals(site_id, feed)
        if arrivals and is_silent(rhythm, arrivals[-1], instant):
            yield Silence(
                AlertKind.SITE_SILENT,
                site_id,
                feed,
                arrivals[-1],
                rhythm.usual_gap,
                rhythm.is_learned,
            )
    yield from _list_silent_participants(conn, study, rhythms, history, instant)
    beat = heartbeat.find_unreturned(conn)
    if beat is not None and instant - beat.sent_at > ENGINE_WITHIN:
        yield Silence(AlertKind.ENGINE_SILENT, "engine", "", beat.sent_at, ENGINE_WITHIN)


def find_rhythm(site: SiteRow, feed: Feed, history: FeedHistory) -> Rhythm | None:
    """Return the rhythm that the file expects of a feed, else its own; None: it has none yet."""
    zone, expected = ZoneInfo(site.timezone), site.expect
    usual_gap = getattr(expected, feed) if expected else None
    if expected is not None and usual_gap is not None:
        return Rhythm(usual_gap, zone, *(expected.between or (None, None)))
    return learn_rhythm(history.list_arrivals(site.id, feed), zone)


def make_silence_alert(silence: Silence, study: str, instant: datetime) -> Alert:
    """Return the alert of *silence*: one until it ends, another for the next."""
    detail = SilenceDetail(
        silence.source,
        silence.feed,
        silence.last_at,
        int(silence.usual_gap.total_seconds()),
        silence.is_learned,
    )
    key = silence.source, silence.feed, silence.last_at.isoformat()
    event = OperationsEvent(silence.kind, key, silence.source, detail)
    return make_operations_alert(study, event, instant)


def _list_silent_participants(
    conn: Connection,
    study: str,
    rhythms: Mapping[tuple[str, Feed], Rhythm],
    history: FeedHistory,
    instant: datetime,
) -> Iterator[Silence]:
    """Yield those in the window of a rule, in hospital, whose vital signs do not come."""
    sites = {one.subject: one.site for one in participants.load_participants(conn, study).values()}
    candidates = [
        (name, rhythm)
        for name in sorted(_list_at_risk(conn, study, instant))
        if (rhythm := rhythms.get((sites.get(name, ""), Feed.VITALS))) and name in history.vitals_at
    ]
    admitted_names = _list_admitted(conn, [name for name, _ in candidates])
    for name, rhythm in candidates:
        usual_gap = _TIMES_OF_SITE * rhythm.usual_gap
        doubled_rhythm = Rhythm(usual_gap, rhythm.zone, rhythm.begins_at, rhythm.ends_at)
        last_at = history.vitals_at[name]
        if name in admitted_names and is_silent(doubled_rhythm, last_at, instant):
            yield Silence(
                AlertKind.PARTICIPANT_SILENT,
                name,
                Feed.VITALS,
                last_at,
                usual_gap,
                rhythm.is_learned,
            )


def _list_at_risk(conn: Connection, study: str, instant: datetime) -> set[str]:
    """Return the participants who are followed under some rule at *instant*."""
    standings = (row.standing for row in records.load_latest_standings(conn, study))
    return {
        one.participant
        for one in standings
        if one.window_ends_at is not None
        and instant < one.window_ends_at
        and one.frozen_at is None
        and one.competing is None
    }


def _list_admitted(conn: Connection, subjects: Sequence[str]) -> set[str]:
    """Return those of *subjects* whose last movement is into the hospital, and who live."""
    last_places: dict[str, tuple[datetime, str]] = {}
    for entry in journal.load_facts_of_kinds(conn, ["movement", "death"], subjects):
        fact = entry.fact
        place = fact.body.to if isinstance(fact.body, Movement) else "death"
        is_cancelled = isinstance(fact.body, Movement) and fact.body.cancelled
        if (
            not is_cancelled
            and fact.observed_at >= last_places.get(fact.subject, (fact.observed_at, ""))[0]
        ):
            last_places[fact.subject] = (fact.observed_at, place)
    return {name for name, (_, place) in last_places.items() if place in _IN_HOSPITAL}
