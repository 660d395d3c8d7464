"""A visit: one request of a person who is signed in, and what a page answers from."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from services.acts.study_context import StudyContext
from services.console import access
from services.console.current_alerts import CurrentAlerts
from services.console.current_records import CurrentRecords
from services.console.sessions import BrowserSessions
from services.people.sign_in import Proof, Refusal, check_proof
from services.safety_rules.adapters.study_rules import StudyRules
from services.store.alerts import AcknowledgementRow, load_acknowledgements
from services.store.board import BoardReader
from services.store.session import Database
from services.vocabulary.person import Person


class NotFoundError(LookupError):
    """There is no such thing for this person."""


@dataclass(frozen=True, slots=True)
class ConsoleContext:
    """The study and its data, the clock of the pages, and the records as they are now.

    Args:
        data: Of the study; its database acts as the role of the console.
        clock: Aware, in UTC.
        sessions: Of persons.
        board: What the DSMB may see.
        list_problems: Returns the warnings of the process.
    """

    data: StudyContext
    clock: Callable[[], datetime]
    sessions: BrowserSessions
    board: BoardReader
    list_problems: Callable[[], Sequence[str]]
    records: CurrentRecords = field(init=False)
    alerts: CurrentAlerts = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "records", CurrentRecords(self.db, self.study_id))
        object.__setattr__(self, "alerts", CurrentAlerts(self.study_id))

    @property
    def db(self) -> Database:
        """Of the data."""
        return self.data.db

    @property
    def study(self) -> StudyRules:
        """The rules and files of the study."""
        return self.data.study

    @property
    def study_id(self) -> str:
        """The study's id."""
        return self.data.study_id


@dataclass(frozen=True, slots=True)
class Visit:
    """One request of *person*, at *instant*.

    Args:
        context: Of the console.
        person: Who is signed in.
        csrf: The word that each of their forms sends back.
        instant: Aware, in UTC.
        path: The parts of the address that its pattern names.
        query: The parameters of the address.
        form: The fields of the form that was sent; several values of one name.
        last_visit_at: The end of the visit before; None: it is their first.
        source: Address from which it comes.
        signature: Secret of a signature at the provider; empty: there is none.
        address: Of the page, to come back to.
    """

    context: ConsoleContext
    person: Person
    csrf: str
    instant: datetime
    path: Mapping[str, str]
    query: Mapping[str, str]
    form: Mapping[str, Sequence[str]]
    last_visit_at: datetime | None = None
    source: str = ""
    signature: str = ""
    address: str = "/"

    @property
    def offers_provider(self) -> bool:
        """True if a person may sign at the provider of their institution."""
        return bool(self.context.sessions.settings.oidc_issuer)

    @property
    def has_signature(self) -> bool:
        """True if the provider has just asked this person again, for one act."""
        sessions = self.context.sessions
        return bool(self.signature) and sessions.has_signature(self.signature, self.person.id)

    def check_proof(self, proof: Proof) -> Person | Refusal:
        """Return the person whose *proof* it is, or why it is nobody's; every attempt is kept."""
        return check_proof(self.context.sessions.make_door(self.source), proof)

    @property
    def sees_participants(self) -> bool:
        """True if pages of participants exist for this person."""
        return access.PARTICIPANTS.is_for(self.person)

    def load_own_acknowledgements(self) -> list[AcknowledgementRow]:
        """Return the acknowledgements of this person."""
        with self.context.db.read() as conn:
            rows = load_acknowledgements(conn)
        return [row for row in rows if row.by == self.person.id]

    def read_field(self, name: str) -> str:
        """Return the first value of the form's field *name*; empty when it was not sent."""
        return next(iter(self.form.get(name, ())), "")

    def sees_site(self, site: str) -> bool:
        """Return True if data of *site* are for this person."""
        return self.person.site in ("", site)
