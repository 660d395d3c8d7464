"""Sign-in and signatures at the provider of the institution: there, and back again."""

import asyncio
import hmac
from collections.abc import Awaitable, Callable
from typing import Final

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from services.console import sign_in
from services.console.respond import HEADERS, redirect
from services.console.sessions import BrowserSessions
from services.people.provider import (
    Provider,
    ProviderError,
    ProviderReturn,
    Purpose,
    begin_visit,
    end_visit,
)
from services.people.sign_in import Refusal

BACK: Final = "/sign-in/provider/back"
_VISIT: Final = "__Host-aegis-visit"  # the state of a visit: nobody is sent back into another's
_SEE_OTHER: Final = 303

Refuse = Callable[[str, str], Response]  # from the page to go on with, and the problem


def make_provider_routes(sessions: BrowserSessions, refuse: Refuse) -> list[Route]:
    """Return the routes of the provider that the settings name; none where there is none."""
    provider = find_provider(sessions)
    if provider is None:
        return []
    return [
        Route("/sign-in/provider", _make_departure(sessions, provider, refuse), methods=["GET"]),
        Route(
            "/sign-in/provider/signature",
            _make_departure(sessions, provider, refuse, signs=True),
            methods=["GET"],
        ),
        Route(BACK, _make_return(sessions, provider, refuse), methods=["GET"]),
    ]


def find_provider(sessions: BrowserSessions) -> Provider | None:
    """Return the provider that the settings name; None: there is none."""
    settings = sessions.settings
    secret = settings.oidc_secret
    if not settings.oidc_issuer or secret is None:
        return None
    back = f"{sessions.address}{BACK}"
    return Provider(settings.oidc_issuer, settings.oidc_client, secret.get_secret_value(), back)


def _make_departure(
    sessions: BrowserSessions, provider: Provider, refuse: Refuse, *, signs: bool = False
) -> Callable[[Request], Awaitable[Response]]:
    async def send_away(request: Request) -> Response:
        target = sign_in.choose_target(request.query_params.get("next", "/"))
        person_id = ""
        if signs:
            signed_in = await asyncio.to_thread(sessions.find, sign_in.read_secret(request))
            if signed_in is None:
                return redirect("/sign-in?over=1")
            person_id = signed_in.session.person.id
        try:
            departure = await asyncio.to_thread(
                begin_visit,
                sessions.db,
                provider,
                sessions.clock(),
                person=person_id,
                leads_to=target,
            )
        except ProviderError as error:
            return refuse(target, f"{error}: sign in with your password.")
        response = RedirectResponse(departure.address, _SEE_OTHER, HEADERS)
        sign_in.set_cookie(response, _VISIT, departure.state)
        return response

    return send_away


def _make_return(
    sessions: BrowserSessions, provider: Provider, refuse: Refuse
) -> Callable[[Request], Awaitable[Response]]:
    async def let_in(request: Request) -> Response:
        state = request.query_params.get("state", "")
        kept_state = request.cookies.get(_VISIT, "")
        if not state or not hmac.compare_digest(state.encode(), kept_state.encode()):
            return refuse("/", "This browser was not sent to the provider: begin again.")
        try:
            outcome = await asyncio.to_thread(
                end_visit,
                sessions.db,
                provider,
                sessions.clock(),
                state=state,
                code=request.query_params.get("code", ""),
                life_s=sessions.settings.session_s,
            )
        except ProviderError as error:
            return refuse("/", f"{error}: sign in with your password.")
        if isinstance(outcome, Refusal):
            return refuse("/", f"{outcome.reason.capitalize()}.")
        return _keep(outcome)

    return let_in


def _keep(outcome: ProviderReturn) -> Response:
    """Have the browser keep what it came back with, and go on."""
    response = redirect(sign_in.choose_target(outcome.leads_to))
    if outcome.purpose is Purpose.SIGNATURE:
        sign_in.set_cookie(response, sign_in.SIGNATURE, outcome.session.secret)
    else:
        sign_in.keep_secret(response, outcome.session.secret)
    sign_in.forget_cookie(response, _VISIT)
    return response
