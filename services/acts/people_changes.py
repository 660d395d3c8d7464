"""Persons made, changed and ended: each change with the act of the administrator who makes it."""

from collections.abc import Collection, Iterator
from contextlib import contextmanager
from datetime import datetime

from services.acts.append_act import Subject, Values, append_act
from services.acts.refusal import ActRefusedError
from services.acts.study_files import load_active_study
from services.people import administration, second_factor_change
from services.people.administration import NewPerson, PersonRefusedError
from services.people.sessions import Session, begin_session
from services.runtime.clock import now_utc
from services.runtime.sites_file import SITES, list_site_ids
from services.store import people, protocols, sign_ins
from services.store.session import Connection, Database
from services.store.sign_ins import Use
from services.store.vault import Keys
from services.vocabulary.act import Act, ActKind
from services.vocabulary.person import Actor, Person, Role

_OWN_REASON = "their own credential"
SOMEBODY_IS_THERE = "there are people already: an administrator makes others, `aegis people add`"


def add_first_person(db: Database, actor: Actor, new_person: NewPerson, reason: str) -> Act:
    """Make the first person, an administrator, where there is nobody; *actor* is the machine.

    Raises:
        ActRefusedError: There is somebody, or the person cannot be made.
    """
    if Role.ADMINISTRATOR not in new_person.person.roles:
        raise ActRefusedError("the first person is an administrator: who else makes the others?")
    with _change(db) as conn:
        people.lock_people(conn)
        if people.has_people(conn):
            raise ActRefusedError(SOMEBODY_IS_THERE)
        return _add_person(conn, actor, new_person, reason)


def add_person(db: Database, actor: Actor, new_person: NewPerson, reason: str) -> Act:
    """Make a person, who may sign in from then on.

    Raises:
        ActRefusedError: The id is taken, or something about them is not as it has to be.
    """
    with _change(db) as conn:
        return _add_person(conn, actor, new_person, reason)


def end_person(db: Database, actor: Actor, person_id: str, reason: str) -> Act:
    """Let a person do nothing any more, and be signed out everywhere.

    Raises:
        ActRefusedError: There is no such person, they ended before, or nobody could make another
            any more.
    """
    with _change(db) as conn:
        instant = now_utc()
        person = administration.end_person(conn, person_id, instant, actor=actor.id)
        return append_act(
            conn,
            actor,
            ActKind.END_PERSON,
            Subject(person_id),
            Values(describe_roles(person.roles), "ended"),
            reason=reason,
            acted_at=instant,
        )


def replace_roles(
    db: Database, actor: Actor, person_id: str, roles: frozenset[Role], reason: str
) -> Act:
    """Let a person have *roles* and no others, from their next act on.

    Raises:
        ActRefusedError: There is no such person, the roles cannot be theirs, or nobody could make
            another any more.
    """
    with _change(db) as conn:
        instant = now_utc()
        person = administration.replace_roles(conn, person_id, roles, instant, actor=actor.id)
        return append_act(
            conn,
            actor,
            ActKind.CHANGE_PERSON,
            Subject(person_id),
            Values(describe_roles(person.roles), describe_roles(roles)),
            reason=reason,
            acted_at=instant,
        )


def reset_password(db: Database, actor: Actor, person_id: str, password: str, reason: str) -> Act:
    """Give a person a new password and no second factor, and sign them out everywhere.

    Raises:
        ActRefusedError: There is no such person, or it may not be their password.
    """
    with _change(db) as conn:
        instant = now_utc()
        administration.reset_password(conn, person_id, password, instant, actor=actor.id)
        return append_act(
            conn,
            actor,
            ActKind.RESET_PERSON,
            Subject(person_id),
            Values("", "new password, no second factor"),
            reason=reason,
            acted_at=instant,
        )


def change_own_password(db: Database, actor: Actor, password: str) -> Act:
    """Give *actor*, who has given the old one, the password that they chose; sign them out.

    Raises:
        ActRefusedError: It may not be their password.
    """
    with _change(db) as conn:
        instant = now_utc()
        administration.change_own_password(conn, actor.id, password, instant)
        return _append_own(conn, actor, "new password", instant)


def keep_second_factor(db: Database, keys: Keys, actor: Actor, secret: str, code: str) -> Act:
    """Let *actor* need a code of *secret* from now on.

    Raises:
        ActRefusedError: *code* is none of it.
    """
    with _change(db) as conn:
        instant = now_utc()
        is_kept = second_factor_change.keep_second_factor(
            conn, keys, actor.id, instant, secret=secret, code=code
        )
        if not is_kept:
            raise ActRefusedError("that is not the code that your authenticator shows now")
        return _append_own(conn, actor, "second factor", instant)


def make_token(db: Database, actor: Actor, person: Person, life_s: float) -> Session:
    """Sign *person*, who is *actor*, in at a command line for *life_s* seconds."""
    with _change(db) as conn:
        instant = now_utc()
        session = begin_session(conn, person, Use.COMMAND_LINE, instant, life_s)
        new_value = f"token for the command line until {session.expires_at:%Y-%m-%d %H:%M} UTC"
        _append_own(conn, actor, new_value, instant)
        return session


def end_token(db: Database, actor: Actor, token_hash: str) -> Act | None:
    """End the token of *actor* at a command line; None: they have none of *token_hash*."""
    with _change(db) as conn:
        instant = now_utc()
        tokens = sign_ins.load_open_sign_ins(conn, actor.id, Use.COMMAND_LINE, instant)
        token = next((one for one in tokens if one.hash == token_hash), None)
        if token is None:
            return None
        sign_ins.end_sign_in(conn, token, instant, actor=actor.id)
        return _append_own(conn, actor, "a token for the command line ended", instant)


def describe_roles(roles: Collection[Role]) -> str:
    """Return *roles* as they stand in the trail.

    >>> describe_roles({Role.OPERATOR, Role.AUDITOR})
    'auditor, operator'
    """
    return ", ".join(sorted(roles))


def _add_person(conn: Connection, actor: Actor, new_person: NewPerson, reason: str) -> Act:
    instant = now_utc()
    _require_site(conn, new_person.person.site)
    administration.add_person(conn, new_person, instant, actor=actor.id)
    return append_act(
        conn,
        actor,
        ActKind.ADD_PERSON,
        Subject(new_person.person.id),
        Values("", _describe_person(new_person.person)),
        reason=reason,
        acted_at=instant,
    )


def _require_site(conn: Connection, site: str) -> None:
    """Require that *site*, if it is one, is a site of the study that runs.

    Raises:
        ActRefusedError: It is none.
    """
    for study in protocols.load_study_ids(conn) if site else ():
        active_study = load_active_study(conn, study)
        if active_study is None or SITES not in active_study.contents:
            continue
        site_ids = list_site_ids(active_study.contents[SITES])
        if site not in site_ids:
            raise ActRefusedError(f"there is no site {site!r}: write one of {', '.join(site_ids)}")


def _append_own(conn: Connection, actor: Actor, new_value: str, instant: datetime) -> Act:
    return append_act(
        conn,
        actor,
        ActKind.CHANGE_PERSON,
        Subject(actor.id),
        Values("", new_value),
        reason=_OWN_REASON,
        acted_at=instant,
    )


def _describe_person(person: Person) -> str:
    site = f", site {person.site}" if person.site else ""
    return f"{person.name} <{person.email}>: {describe_roles(person.roles)}{site}"


@contextmanager
def _change(db: Database) -> Iterator[Connection]:
    """Open a transaction for one change; a person who is refused refuses the act."""
    try:
        with db.write() as conn:
            yield conn
    except PersonRefusedError as error:
        raise ActRefusedError(str(error)) from error
