"""The console on a small study, asked as a browser asks it: cookies are kept, forms are sent."""

import asyncio
import re
from contextlib import contextmanager
from dataclasses import dataclass, field
from html import unescape

import httpx
from starlette.applications import Starlette

from services.console.application import make_routes
from services.console.sessions import BrowserSessions
from services.console.sign_in import SESSION
from services.console.visit import ConsoleContext
from services.people.sessions import begin_session
from services.runtime.clock import now_utc
from services.runtime.settings import PeopleSettings
from services.store.board import open_board
from services.store.people import load_person
from services.store.sign_ins import Use
from services.vocabulary.person import Role
from tests.helpers.people import PASSWORD, make_person

_FORM_TOKEN = re.compile(r'name="csrf" value="([^"]*)"')


@dataclass
class Browser:
    """A browser of one person, with its cookies, on the pages of *app*."""

    app: Starlette
    cookies: httpx.Cookies = field(default_factory=httpx.Cookies)
    page: str = ""
    origin: str = "https://console.example"
    headers: dict[str, str] = field(default_factory=dict)

    def get(self, address):
        """Ask for a page, and follow no redirection."""
        return asyncio.run(self._ask("GET", address))

    async def _ask(self, method, address, **options):
        transport = httpx.ASGITransport(self.app)
        async with httpx.AsyncClient(
            transport=transport, base_url=self.origin, cookies=self.cookies, headers=self.headers
        ) as client:
            answer = await client.request(method, address, **options)
            self.cookies = client.cookies
            return answer

    def look(self, address, status=200):
        """Open a page, or the one that it leads to, and return its text."""
        answer = self.get(address)
        while answer.status_code == 303:
            answer = self.get(answer.headers["location"])
        assert answer.status_code == status, (address, answer.status_code, answer.text[:500])
        self.page = answer.text
        return unescape(self.page)

    def send(self, address, status=303, **fields):
        """Send a form with the token of the page that was looked at last; return the answer."""
        fields.setdefault("csrf", self.form_token)
        answer = asyncio.run(self._ask("POST", address, data=fields))
        assert answer.status_code == status, (address, answer.status_code, answer.text[:500])
        return answer

    @property
    def form_token(self):
        """The token of the last form on the page."""
        return _FORM_TOKEN.findall(self.page)[-1]

    def find_hidden(self, name):
        """The value of a hidden field of the page that was looked at last."""
        return re.search(rf'name="{name}" value="([^"]*)"', self.page)[1]


@dataclass
class ConsoleUnderTest:
    """A console whose clock can be set."""

    context: ConsoleContext
    clock: list

    def browse(self):
        """A new browser, in which nobody is signed in."""
        return Browser(Starlette(routes=make_routes(self.context)))

    def sign_in(self, person, password=PASSWORD):
        """A browser in which *person* is signed in."""
        browser = self.browse()
        browser.look("/sign-in")
        browser.send("/sign-in", person=person, password=password, next="/")
        return browser

    def admit(self, person_id):
        """A browser in which somebody is signed in already; it costs no password."""
        browser, db = self.browse(), self.context.db
        with db.write() as conn:
            person = load_person(conn, person_id).person
            session = begin_session(conn, person, Use.BROWSER, self.clock[0], 43_200)
        browser.cookies.set(SESSION, session.secret, domain="console.example", path="/")
        return browser

    def add_person(self, person_id, *roles, site=""):
        """Let there be somebody with *roles*."""
        make_person(self.context.db, person_id, *roles, site=site)


def add_everybody(db):
    """Let there be a person of each role; those of a site are of *west*."""
    for person, roles in EVERY_ROLE.items():
        site = "west" if person in ("site", "investigator") else ""
        make_person(db, person, *roles, site=site)


@contextmanager
def open_console(data, **settings):
    """The console of the study in *data* (`services.acts.study_context.StudyContext`)."""
    clock = [now_utc()]
    sessions = BrowserSessions(data.db, data.keys, PeopleSettings(**settings), lambda: clock[0])
    board = open_board(data.db, data.study_id)
    context = ConsoleContext(data, lambda: clock[0], sessions, board, list)
    yield ConsoleUnderTest(context, clock)


EVERY_ROLE = {
    "admin": (Role.ADMINISTRATOR,),
    "safety": (Role.SAFETY_OFFICER,),
    "member": (Role.DSMB_MEMBER,),
    "chair": (Role.DSMB_CHAIR,),
    "statistician": (Role.STATISTICIAN,),
    "investigator": (Role.INVESTIGATOR,),
    "site": (Role.SITE_STAFF,),
    "operator": (Role.OPERATOR,),
    "auditor": (Role.AUDITOR,),
}
