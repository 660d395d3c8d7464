"""The page behind the link in a notice: it shows; only its button acknowledges."""

import asyncio
from dataclasses import replace
from datetime import timedelta

import httpx
import pytest
from starlette.applications import Starlette

from services.acts.alert_reminders import revoke_links
from services.alerts import http, links
from services.alerts.delivery_context import DeliveryContext
from services.alerts.domain.routes import Channel, Recipient, Recipients
from services.people.administration import end_person
from services.store.acts import load_acts
from services.store.alerts import load_acknowledgements, upsert_alerts
from services.store.vault import Purpose
from services.vocabulary.person import Actor, Role
from tests.helpers.fact_notes import HOUR_ZERO
from tests.helpers.people import make_person
from tests.helpers.store import ALERT, new_database


def make_recipients(*names):
    people = tuple(Recipient("dsmb", name, Channel.EMAIL, f"{name}@x.org") for name in names)
    return Recipients({"dsmb": people})


DRAFT_ALERT = replace(ALERT, protocol="protocol v1 DRAFT, signed by nobody")


class Page:
    def __init__(self, folder):
        self.instant = HOUR_ZERO
        self.db, self.keys = new_database(folder)
        desk = DeliveryContext(
            self.db,
            self.keys,
            "T",
            make_recipients("DSMB chair"),
            {},
            lambda: self.instant,
            "http://x",
            earlier_links_until=HOUR_ZERO + timedelta(days=10),
        )
        self.desk = desk
        self.app = Starlette(routes=http.build_routes(desk))
        self.say(DRAFT_ALERT)
        self.url = f"/alerts/{links.make_token(self.keys, 'a1', 'DSMB chair', HOUR_ZERO)}"

    def say(self, alert):
        with self.db.write() as conn:
            upsert_alerts(conn, [alert])

    def ask(self, method, url=None, **options):
        """The response of the page."""

        async def send():
            transport = httpx.ASGITransport(self.app)
            async with httpx.AsyncClient(transport=transport, base_url="http://x") as client:
                return await client.request(method, url or self.url, **options)

        return asyncio.run(send())

    def press(self, version=1, **data):
        """The response to the page's button, as it was page_response with *version*."""
        return self.ask("POST", data={"version": str(version), **data})

    def find_acknowledgement(self):
        with self.db.read() as conn:
            return load_acknowledgements(conn)


@pytest.fixture
def page(tmp_path):
    acknowledge_page = Page(tmp_path)
    yield acknowledge_page
    acknowledge_page.db.close()


@pytest.mark.parametrize("method", ["GET", "HEAD", "OPTIONS"])
def test_whatever_only_looks_acknowledges_nothing(page, method):
    page.ask(method)
    assert page.find_acknowledgement() == []


@pytest.mark.parametrize(
    ("role", "place"),
    [
        (Role.DSMB_CHAIR, "/sign-in?next=/board/alerts/a1"),
        (Role.SAFETY_OFFICER, "/sign-in?next=/alerts/by-id/a1"),
    ],
)
def test_where_the_protocol_asks_for_sign_in_a_link_shows_and_acknowledges_nothing(
    page, role, place
):
    make_person(page.db, "ann", role)
    page.desk = replace(page.desk, recipients=make_recipients("ann"), links_ask_sign_in=True)
    page.app = Starlette(routes=http.build_routes(page.desk))
    page.url = f"/alerts/{links.make_token(page.keys, 'a1', 'ann', HOUR_ZERO)}"
    page_response = page.ask("GET")
    assert (page_response.status_code, "<form" in page_response.text) == (200, False)
    assert f'<a href="{place}">' in page_response.text
    answer = page.press()
    assert (answer.status_code, "The protocol asks for sign-in" in answer.text) == (403, True)
    assert page.find_acknowledgement() == []
    page.say(replace(DRAFT_ALERT, retracted=True, version=2))
    assert "Sign in" not in page.ask("GET").text


def test_the_page_says_what_the_notice_says_and_asks(page):
    response = page.ask("GET")
    assert response.status_code == 200
    assert "P-001: Anemia, grade 3, suspected" in response.text
    assert "<strong>Suspected. Anemia, worst grade 3.</strong>" in response.text
    assert "DRAFT, signed by nobody" in response.text
    assert "Trial safety oversight, not a bedside alarm." in response.text
    assert '<form method="post"><input type="hidden" name="version" value="1">' in response.text
    assert '<label for="comment">' in response.text


def test_the_button_acknowledges_for_whom_the_link_was_made(page):
    response = page.press(comment="will call the site")
    assert response.status_code == 200
    assert "DSMB chair, you have acknowledged this alert." in response.text
    (row,) = page.find_acknowledgement()
    assert (row.alert, row.by, row.comment, row.at, row.grade) == (
        "a1",
        "DSMB chair",
        "will call the site",
        HOUR_ZERO,
        3,
    )


def test_a_person_acts_by_a_link_in_their_name_and_role_until_they_end(page):
    person = Recipient("dsmb", "chair", Channel.EMAIL, "", is_person=True)
    desk = replace(page.desk, recipients=Recipients({"dsmb": (person,)}))
    page.app = Starlette(routes=http.build_routes(desk))
    make_person(page.db, "chair", Role.DSMB_CHAIR, name="Ada <Roth>")
    page.url = f"/alerts/{links.make_token(page.keys, 'a1', 'chair', HOUR_ZERO)}"
    assert "Ada &lt;Roth&gt;, you have acknowledged this alert." in page.press().text
    with page.db.read() as conn:
        (act,) = load_acts(conn)
    assert act.actor == Actor("chair", "Ada <Roth>", Role.DSMB_CHAIR)
    with page.db.write() as conn:
        end_person(conn, "chair", HOUR_ZERO, actor="tests")
    assert page.ask("GET").status_code == page.press().status_code == 403


def test_pressing_it_again_changes_nothing(page):
    page.press()
    page.instant += timedelta(hours=1)
    assert page.press().status_code == 200
    assert [row.at for row in page.find_acknowledgement()] == [HOUR_ZERO]


def test_after_a_rise_the_same_link_acknowledges_the_alert_as_it_stands(page):
    page.press()
    page.say(replace(DRAFT_ALERT, grade=4, version=2))
    assert '<input type="hidden" name="version" value="2">' in page.ask("GET").text
    page.press(version=2)
    assert [row.grade for row in page.find_acknowledgement()] == [3, 4]


@pytest.mark.parametrize("data", [{"version": "1"}, {}, {"version": "\u0662"}, {"version": "x"}])
def test_what_was_not_on_the_page_is_not_acknowledged_but_shown(page, data):
    page.say(replace(DRAFT_ALERT, grade=4, version=2))
    response = page.ask("POST", data=data)
    assert response.status_code == 409
    assert "The alert is not what it was when this page was opened. Read it again." in response.text
    assert '<input type="hidden" name="version" value="2">' in response.text
    assert page.find_acknowledgement() == []


@pytest.mark.parametrize("method", ["GET", "POST"])
@pytest.mark.parametrize("link", ["tampered", "expired", "of no alert", "nonsense"])
def test_a_link_that_is_not_good_is_refused_with_what_to_do_instead(page, method, link):
    token = page.url.removeprefix("/alerts/")
    urls = {
        "tampered": f"/alerts/{'B' if token[0] == 'A' else 'A'}{token[1:]}",
        "expired": page.url,
        "of no alert": f"/alerts/{links.make_token(page.keys, 'a9', 'DSMB chair', HOUR_ZERO)}",
        "nonsense": "/alerts/nonsense",
    }
    if link == "expired":
        page.instant += links.LIFETIME + timedelta(seconds=1)
    response = page.ask(method, urls[link])
    assert response.status_code == 403
    assert "This link is not valid, or no longer." in response.text
    assert "aegis alerts ack ALERT" in response.text
    assert "P-001" not in response.text
    assert page.find_acknowledgement() == []


@pytest.mark.parametrize("names", [[], ["DSMB statistician"]])
def test_the_link_of_somebody_no_longer_a_recipient_is_refused(page, names):
    page.app = Starlette(
        routes=http.build_routes(replace(page.desk, recipients=make_recipients(*names)))
    )
    assert [page.ask("GET").status_code, page.press().status_code] == [403, 403]
    assert page.find_acknowledgement() == []


@pytest.mark.parametrize(
    ("recipient", "alert", "revoked_hour", "status"),
    [
        ("DSMB chair", "", 1, 403),
        ("DSMB chair", "a1", 1, 403),
        ("DSMB chair", "a2", 1, 200),  # of another alert
        ("DSMB statistician", "", 1, 200),
        ("DSMB chair", "", 0, 403),  # at the instant at which it was made
        ("DSMB chair", "", -1, 200),  # a link that is made later is good
    ],
)
def test_a_revoked_link_is_refused(page, recipient, alert, revoked_hour, status):
    page.instant = HOUR_ZERO + timedelta(hours=revoked_hour)
    actor = Actor("admin", "A. Min")
    revoke_links(page.db, actor, recipient, "phone lost", page.instant, alert=alert)
    page.instant = HOUR_ZERO + timedelta(hours=2)
    assert page.ask("GET").status_code == status
    assert page.press().status_code == status
    assert len(page.find_acknowledgement()) == (status == 200)


def test_a_version_of_5000_digits_acknowledges_nothing(page):
    assert page.press(version="9" * 5000).status_code == 409
    assert page.find_acknowledgement() == []


@pytest.mark.parametrize(("days", "status"), [(0, 200), (10, 200), (10.001, 403)])
def test_a_link_of_an_earlier_release_acknowledges_until_the_last_of_them_expires(
    page, days, status
):
    seal = page.keys.single[Purpose.SEAL]
    earlier_keys = replace(page.keys, single={Purpose.LINKS: seal})  # which signed links then
    token = links.make_token(earlier_keys, "a1", "DSMB chair", HOUR_ZERO)
    page.instant += timedelta(days=days)
    assert page.ask("GET", f"/alerts/{token}").status_code == status
    response = page.ask("POST", f"/alerts/{token}", data={"version": "1"})
    assert response.status_code in ((200, 303) if status == 200 else (403,))
    assert len(page.find_acknowledgement()) == (status == 200)


def test_a_comment_is_kept_short_and_shown_to_nobody_as_markup(page):
    page.press(comment="<b>" * 400)
    assert len(page.find_acknowledgement()[0].comment) == 500
    assert "<b>" not in page.ask("GET").text


def test_no_other_site_learns_the_link_or_frames_the_page(page):
    headers = page.ask("GET").headers
    assert headers["Referrer-Policy"] == "no-referrer"
    assert headers["Cache-Control"] == "no-store"
    assert headers["X-Robots-Tag"] == "noindex"
    assert "frame-ancestors 'none'" in headers["Content-Security-Policy"]
    assert "form-action 'self'" in headers["Content-Security-Policy"]


def test_a_retracted_alert_says_so_on_its_page(page):
    page.say(replace(DRAFT_ALERT, retracted=True, version=2))
    text = page.ask("GET").text
    assert "is taken back" in text
    assert "<form" not in text
