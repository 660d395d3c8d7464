"""The watch of the alerts service: clocks, silences, the heartbeat and the daily note."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, time, timedelta

from services.alerts.clock_alerts import make_clock_alerts
from services.alerts.daily_note import is_note_due, make_daily_note
from services.alerts.delivery_context import DeliveryContext
from services.alerts.feeds import FeedHistory
from services.alerts.raise_alerts import replace_alerts
from services.alerts.silence_alerts import list_silences, make_silence_alert
from services.runtime.sites_file import SiteRow
from services.store import alerts, heartbeat
from services.store.session import Connection
from services.vocabulary.alert import Alert, AlertKind
from services.vocabulary.operations import DailyNoteDetail

EVERY = timedelta(minutes=1)
_SILENCES = (AlertKind.SITE_SILENT, AlertKind.PARTICIPANT_SILENT, AlertKind.ENGINE_SILENT)


@dataclass(slots=True)
class Watch:
    """Looks once a minute, and raises and closes the alerts that the rules do not know of.

    Args:
        context: Connections and settings.
        sites: Of the study.
        note_time: Of the daily note, in UTC; None: none is written.
        has_heartbeat: The engine is asked for a sign of life.
    """

    context: DeliveryContext
    sites: Sequence[SiteRow]
    note_time: time | None = None
    has_heartbeat: bool = True
    _watched_since: datetime | None = None
    _looked_at: datetime | None = None
    _feeds: FeedHistory = field(default_factory=FeedHistory)

    def look(self, instant: datetime) -> int:
        """Raise and close what is due at *instant* (aware), once a minute; return the changes."""
        self._watched_since = self._watched_since or instant
        if self._looked_at is not None and timedelta() <= instant - self._looked_at < EVERY:
            return 0
        self._looked_at = instant
        study = self.context.study
        with self.context.db.read() as conn:  # what takes time holds up no writer
            self._feeds.read(conn, study, instant)
            silences = [*list_silences(conn, study, self.sites, self._feeds, instant)]
        silence_alerts = [make_silence_alert(one, study, instant) for one in silences]
        with self.context.db.write() as conn:
            changed_alerts = replace_alerts(conn, study, _SILENCES, silence_alerts)
            clock_alerts = make_clock_alerts(conn, study, instant)
            changed_alerts += replace_alerts(conn, study, [AlertKind.SAE_CLOCK], clock_alerts)
            changed_alerts += self._write_note(conn, instant)
            if self.has_heartbeat:
                heartbeat.send_heartbeat(conn, instant)
        return len(changed_alerts)

    def _write_note(self, conn: Connection, instant: datetime) -> Sequence[Alert]:
        if self.note_time is None or self._watched_since is None:
            return ()
        study = self.context.study
        notes = alerts.load_alerts_of_kinds(conn, study, [AlertKind.DAILY_NOTE])
        days = [note.detail.day for note in notes if isinstance(note.detail, DailyNoteDetail)]
        last_day = max(days, default=None)
        if not is_note_due(last_day, self.note_time, self._watched_since, instant):
            return ()
        note = make_daily_note(conn, study, self.context.recipients, instant)
        return replace_alerts(conn, study, [AlertKind.DAILY_NOTE], [note])
