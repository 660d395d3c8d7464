"""The acknowledgement of an alert: a person has seen it."""

from services.acts.refusal import ActRefusedError, ChangedSinceSeenError
from services.alerts.acknowledgement import acknowledge as record_acknowledgement
from services.alerts.acknowledgement import find_short_name
from services.runtime.clock import now_utc
from services.store import alerts
from services.store.session import Database
from services.vocabulary.alert import Alert
from services.vocabulary.person import Actor


def acknowledge(
    db: Database, actor: Actor, alert_id: str, comment: str, *, version: int | None = None
) -> Alert:
    """Record that *actor* has seen the alert at *version* (None: as it is); return it.

    Raises:
        ActRefusedError: There is no such alert.
        ChangedSinceSeenError: It is at another version.
    """
    alert = record_acknowledgement(db, alert_id, actor, comment, now_utc(), version=version)
    if alert is not None:
        return alert
    with db.read() as conn:
        stored_alert = alerts.load_alert(conn, alert_id)
    if stored_alert is None:
        raise ActRefusedError(f"there is no alert {alert_id}")
    name = find_short_name(stored_alert)
    raise ChangedSinceSeenError(
        f"alert {name} is not version {version}: read it again with"
        f" `aegis alerts show {name}`; nothing is acknowledged"
    )
