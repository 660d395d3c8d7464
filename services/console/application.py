"""The routes of the console: who is signed in, what exists for them, and the page that answers."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Final
from urllib.parse import quote

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from services.console import access, sign_in
from services.console.institution import find_provider, make_provider_routes
from services.console.places import PLACES, Place
from services.console.respond import HEADERS, redirect, render, render_unsigned
from services.console.sessions import SignedIn
from services.console.visit import ConsoleContext, NotFoundError, Visit
from services.people.sign_in import Proof, Refusal
from services.vocabulary.number_text import parse_whole_number

_STYLE: Final = (Path(__file__).parent / "static" / "console.css").read_bytes()
_LARGEST_FORM: Final = 1 << 20  # bytes: a confirmation of some thousand records at once
_MOST_FIELDS: Final = 10_000
_NOT_FOUND: Final = 404

_NOTES: Final[Mapping[str, str]] = {  # by the word in the address of the sign-in page
    "over": "Your session was over, and nothing was done: sign in, and repeat it.",
    "changed": "Your password is changed: sign in with the new one.",
}

_PAGE_TOO_OLD: Final = "This page was open for too long: sign in again."
_NEEDS_HTTPS: Final = (
    "Nobody can sign in at this address: it begins with http, and the browser keeps a session only"
    " where what is sent is encrypted. Open the address that begins with https, or localhost on the"
    " machine itself."
)

Form = Mapping[str, Sequence[str]]
Answer = Callable[[Request], Awaitable[Response]]


def make_routes(context: ConsoleContext) -> list[Route]:
    """Return the pages of the console; none shows anything to whoever is not signed in."""
    return [
        Route("/", _make_home(context), methods=["GET"]),
        Route("/sign-in", _make_sign_in_page(context), methods=["GET"]),
        Route("/sign-in", _make_sign_in(context), methods=["POST"]),
        Route("/sign-out", _make_sign_out(context), methods=["POST"]),
        *make_provider_routes(context.sessions, partial(_refuse_provider, context)),
        Route("/static/console.css", _send_style, methods=["GET"]),
        *(route for place in PLACES for route in _make_place_routes(context, place)),
    ]


async def _send_style(_request: Request) -> Response:
    headers = {**HEADERS, "Cache-Control": "max-age=3600"}
    return Response(_STYLE, media_type="text/css", headers=headers)


def _make_home(context: ConsoleContext) -> Answer:
    async def lead_home(request: Request) -> Response:
        signed_in = await _find_signed_in(context, request)
        if signed_in is None:
            return redirect("/sign-in")
        return redirect(access.find_home(signed_in.session.person))

    return lead_home


def _make_sign_in_page(context: ConsoleContext) -> Answer:
    async def show_sign_in(request: Request) -> Response:
        if await _find_signed_in(context, request) is not None:
            return redirect(sign_in.choose_target(request.query_params.get("next", "/")))
        fault = next((_NOTES[one] for one in request.query_params if one in _NOTES), "")
        if sign_in.is_unencrypted(request):
            fault = _NEEDS_HTTPS
        return _ask_to_sign_in(context, request.query_params.get("next", "/"), fault)

    return show_sign_in


def _make_sign_in(context: ConsoleContext) -> Answer:
    async def begin_session(request: Request) -> Response:
        form = await _read_form(request)
        target = _read(form, "next")
        if not sign_in.is_first_token(sign_in.read_secret_before(request), _read(form, "csrf")):
            fault = _NEEDS_HTTPS if sign_in.is_unencrypted(request) else _PAGE_TOO_OLD
            return _ask_to_sign_in(context, target, fault, 403)
        proof = Proof(
            _read(form, "person").strip(), _read(form, "password"), _read(form, "code").strip()
        )
        outcome = await asyncio.to_thread(context.sessions.begin, proof, _find_source(request))
        if isinstance(outcome, Refusal):
            return _ask_to_sign_in(context, target, f"Not signed in: {outcome.reason}.", 403)
        response = redirect(sign_in.choose_target(target))
        sign_in.keep_secret(response, outcome)
        return response

    return begin_session


def _make_sign_out(context: ConsoleContext) -> Answer:
    async def end_session(request: Request) -> Response:
        signed_in = await _find_signed_in(context, request)
        token = _read(await _read_form(request), "csrf")
        if signed_in is not None and signed_in.session.is_form_token(token):
            await asyncio.to_thread(context.sessions.end, signed_in.session.secret)
        response = redirect("/sign-in")
        sign_in.forget_secret(response)
        return response

    return end_session


def _refuse_provider(context: ConsoleContext, target: str, problem: str) -> Response:
    return _ask_to_sign_in(context, target, f"{problem[:1].upper()}{problem[1:]}", 403)


def _ask_to_sign_in(
    context: ConsoleContext, target: str, fault: str = "", status: int = 200
) -> Response:
    secret = sign_in.make_secret()
    response = render_unsigned(
        "sign-in.html",
        status,
        csrf=sign_in.make_first_token(secret),
        fault=fault,
        target=sign_in.choose_target(target),
        has_provider=find_provider(context.sessions) is not None,
    )
    sign_in.keep_secret_before(response, secret)
    return response


def _make_place_routes(context: ConsoleContext, place: Place) -> list[Route]:
    """Return the routes of *place*: it is not found by whom its area is not for."""

    async def show(request: Request) -> Response:
        return await _answer(context, place, request, {})

    async def change(request: Request) -> Response:
        return await _answer(context, place, request, await _read_form(request))

    routes = [Route(place.address, show, methods=["GET"])]
    return (
        routes
        if place.change is None
        else [*routes, Route(place.address, change, methods=["POST"])]
    )


async def _answer(context: ConsoleContext, place: Place, request: Request, form: Form) -> Response:
    signed_in = await _find_signed_in(context, request)
    is_change = request.method == "POST"
    address = request.url.path if is_change else _name_address(request)
    if signed_in is None:
        return redirect(f"/sign-in?next={quote(address)}{'&over=1' if is_change else ''}")
    session = signed_in.session
    visit = Visit(
        context,
        session.person,
        session.form_token,
        context.clock(),
        request.path_params,
        dict(request.query_params),
        form,
        signed_in.last_visit_at,
        _find_source(request),
        request.cookies.get(sign_in.SIGNATURE, ""),
        address,
    )
    if not place.area.is_for(visit.person):
        return _refuse(visit, _NOT_FOUND)
    if is_change and not session.is_form_token(visit.read_field("csrf")):
        return _refuse(visit, 403)
    page = place.change if is_change and place.change else place.show
    try:
        return await asyncio.to_thread(page, visit)
    except NotFoundError:
        return _refuse(visit, _NOT_FOUND)


def _refuse(visit: Visit, status: int) -> Response:
    return render(visit, "refused.html", status, is_missing=status == _NOT_FOUND)


async def _find_signed_in(context: ConsoleContext, request: Request) -> SignedIn | None:
    secret = sign_in.read_secret(request)
    return await asyncio.to_thread(context.sessions.find, secret) if secret else None


async def _read_form(request: Request) -> Form:
    """Return the fields of the form; none of one that is larger than any of ours."""
    size = parse_whole_number(request.headers.get("content-length", ""))
    if size is None or size > _LARGEST_FORM:
        return {}
    async with request.form(max_files=0, max_fields=_MOST_FIELDS) as form:
        return {
            name: [value for value in form.getlist(name) if isinstance(value, str)] for name in form
        }


def _find_source(request: Request) -> str:
    return request.client.host if request.client else ""


def _read(form: Form, name: str) -> str:
    return next(iter(form.get(name, ())), "")


def _name_address(request: Request) -> str:
    query = f"?{request.url.query}" if request.url.query else ""
    return f"{request.url.path}{query}"
