"""Last uses of API keys, written once an hour for each key: not with every request."""

from dataclasses import dataclass, field
from datetime import datetime, timedelta

from services.runtime import log
from services.store.api_keys import ApiKey, record_api_key_use
from services.store.session import Database, DatabaseError

_INTERVAL = timedelta(hours=1)

_log = log.make_logger("ingest")


@dataclass(slots=True)
class KeyUses:
    """Recorder of uses in *db*; processes beside each other write each its own."""

    db: Database
    _written_at: dict[str, datetime] = field(default_factory=dict)

    def record(self, key: ApiKey, instant: datetime) -> None:
        """Store that *key* was used at *instant*, unless the hour before it was stored already.

        A failure is logged: the answer to the sender does not depend on it.
        """
        written_at = self._written_at.get(key.hash, key.used_at)
        if written_at is not None and abs(instant - written_at) < _INTERVAL:
            return
        self._written_at[key.hash] = instant
        try:
            with self.db.write() as conn:
                record_api_key_use(conn, key.hash, instant)
        except (DatabaseError, OSError) as error:
            _log.error("key_use_not_stored", site=key.site, exc_info=error)
