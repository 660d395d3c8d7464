"""The result of an attempt to deliver by HTTP: accepted, to be tried again, or refused for good."""

from collections.abc import Callable

import httpx

from services.alerts.channel_contract import Acceptance, Failure

_SERVER_ERROR, _REDIRECT = 500, 300
# For a secret that can be put right (401, 403), or not now: Timeout, Too Early, Too Many Requests
_LATER = frozenset({401, 403, 408, 425, 429})


def attempt_post(receiver: str, post: Callable[[], int]) -> Acceptance | Failure:
    """Return the result of *post*, which returns the status that *receiver* answered."""
    try:
        status = post()
    except httpx.InvalidURL:
        return Failure("its address is no URL", can_retry=False)
    except httpx.HTTPError as error:
        return Failure(f"{receiver} not reached ({type(error).__name__})")
    if status < _REDIRECT:
        return Acceptance()
    can_retry = status >= _SERVER_ERROR or status in _LATER
    return Failure(f"{receiver} said {status}", can_retry)
