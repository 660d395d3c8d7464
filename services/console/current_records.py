"""The records of everybody as they are now, in memory, read again for whoever has changed."""

import threading
from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from services.store import participants, records, states
from services.store.bulk import split_into_parts
from services.store.session import Connection, Database
from services.vocabulary.episode import Episode


@dataclass(frozen=True, slots=True, eq=False)
class ParticipantRecords:
    """The records of one participant that are not retracted, and the participant's site.

    It is equal to itself alone: what is made of it can be kept for as long as it is.
    """

    participant: str
    site: str
    episodes: tuple[Episode, ...]


@dataclass(slots=True)
class CurrentRecords:
    """Records by participant.

    A step writes records and the participant's state together, so the version of the state tells
    whether the records in memory are those that are stored.
    """

    db: Database
    study: str
    _lock: threading.Lock = field(default_factory=threading.Lock)
    _versions: dict[str, int] = field(default_factory=dict)
    _by_participant: dict[str, ParticipantRecords] = field(default_factory=dict)

    def load(self, conn: Connection) -> Mapping[str, ParticipantRecords]:
        """Return the records of everybody who was graded, by pseudonym, as *conn* sees them."""
        versions = states.load_versions(conn)
        with self._lock:
            changed_subjects = [
                one for one, version in versions.items() if version != self._versions.get(one)
            ]
            if changed_subjects:
                self._renew(conn, changed_subjects)
                self._versions = dict(versions)
            return dict(self._by_participant)

    def _renew(self, conn: Connection, subjects: list[str]) -> None:
        sites = {
            one.subject: one.site
            for part in split_into_parts(subjects)
            for one in participants.load_participants(conn, self.study, subjects=part).values()
        }
        episodes: dict[str, list[Episode]] = {subject: [] for subject in subjects}
        for episode in records.load_latest_episodes_of(conn, subjects):
            if not episode.retracted:
                episodes[episode.content.participant].append(episode)
        for subject in subjects:
            if subject in sites and subject != self.study:
                self._by_participant[subject] = ParticipantRecords(
                    subject, sites[subject], tuple(episodes[subject])
                )
        self._drop_moved()

    def _drop_moved(self) -> None:
        """Leave each record only to whom its newest version belongs: a merge moves records."""
        newest: dict[str, int] = {}
        for participant_records in self._by_participant.values():
            for episode in participant_records.episodes:
                version = max(episode.version, newest.get(episode.id, 0))
                newest[episode.id] = version
        for subject, participant_records in self._by_participant.items():
            if any(one.version < newest[one.id] for one in participant_records.episodes):
                remaining_episodes = tuple(
                    one for one in participant_records.episodes if one.version == newest[one.id]
                )
                self._by_participant[subject] = replace(
                    participant_records, episodes=remaining_episodes
                )
