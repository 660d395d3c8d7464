"""A database of persons with a clock that a test sets, and what an administrator does there."""

from dataclasses import replace

from services.people import administration
from services.people.administration import NewPerson
from services.people.sessions import find_session
from services.people.sign_in import Door, Proof, sign_in
from services.store.sign_ins import Use
from services.vocabulary.person import Person
from tests.helpers.fact_notes import HOUR_ZERO, hours

PASSWORD, LIFE_S = "correct horse battery", 3_600.0


class Office:
    """A database of persons, with a clock."""

    def __init__(self, db, keys):
        self.db, self.keys, self.instant = db, keys, hours(0)

    def door(self, source="10.0.0.1"):
        return Door(self.db, self.keys, lambda: self.instant, source)

    def add(self, person_id, *roles, password=PASSWORD, **fields):
        address = f"{person_id}@example.org"
        person = Person(person_id, person_id.title(), address, frozenset(roles))
        new_person = NewPerson(
            replace(person, **{k: v for k, v in fields.items() if k in ("name", "email", "site")}),
            password,
            fields.get("active_from", HOUR_ZERO),
            fields.get("active_to"),
        )
        with self.db.write() as conn:
            administration.add_person(conn, new_person, self.instant, actor="admin")
        return new_person.person

    def try_to(self, action, *arguments, **options):
        with self.db.write() as conn:
            return action(conn, *arguments, **options)

    def end(self, name):
        return self.try_to(administration.end_person, name, self.instant, actor="admin")

    def sign_in(self, name, password=PASSWORD, source="10.0.0.1", code=""):
        proof = Proof(name, password, code)
        return sign_in(self.door(source), proof, Use.BROWSER, LIFE_S)

    def find(self, session, use=Use.BROWSER, **options):
        with self.db.read() as conn:
            return find_session(conn, session.secret, use, self.instant, **options)
