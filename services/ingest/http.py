"""HL7 v2 and facts over HTTP, for sites that hold an API key or show their certificate."""

import asyncio
from dataclasses import dataclass

from starlette.requests import ClientDisconnect, Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from services.ingest.domain.connection_access import is_address_of
from services.ingest.domain.hl7.acknowledgement import AckCode, acknowledge
from services.ingest.domain.hl7.frames import LARGEST_BYTES
from services.ingest.domain.message_content import Refusal
from services.ingest.facts import schema
from services.ingest.intake import Intake, MessageFormat, Outcome, Submission
from services.ingest.key_uses import KeyUses
from services.ingest.outcome import LineOutcome
from services.ingest.writer import Writer
from services.store.api_keys import find_valid_api_key

_HEAD_BYTES = 4096  # of a body that is not read further
_STATUS = {AckCode.ACCEPT: 200, AckCode.ERROR: 503, AckCode.REJECT: 422}


def build_routes(
    intake: Intake, writer: Writer, *, sees_clients: bool = True, largest: int = LARGEST_BYTES
) -> list[Route]:
    """Return ``POST /v1/hl7v2``, ``POST /v1/facts`` and ``GET /v1/facts/schema``.

    Args:
        intake: Accepts the messages.
        writer: Writes them.
        sees_clients: False when all requests come from a proxy: the addresses of a site then say
            nothing about who uses its key.
        largest: Limit of a body, in bytes.
    """
    senders = _Senders(intake, KeyUses(intake.db), sees_clients=sees_clients)

    async def hl7v2(request: Request) -> Response:
        """Answer one message with its ACK; the status says the same as MSA-1."""
        body_and_outcome = await _submit(request, senders, writer, "hl7v2", largest)
        if isinstance(body_and_outcome, Response):
            return body_and_outcome
        body, outcome = body_and_outcome
        ack = acknowledge(body, outcome.answer, intake.clock(), outcome.refusal)
        return Response(ack, _STATUS[outcome.answer], media_type="application/hl7-v2")

    async def facts(request: Request) -> Response:
        """Answer with the number of facts, what is parked, and the outcome of each line."""
        body_and_outcome = await _submit(request, senders, writer, "facts", largest)
        if isinstance(body_and_outcome, Response):
            return body_and_outcome
        _, outcome = body_and_outcome
        if outcome.refusal is not None:
            return _problem(_STATUS[outcome.answer], str(outcome.refusal))
        return JSONResponse(
            {
                "facts": outcome.facts,
                "parked": [
                    {"where": item.path, "reason": item.reason, "detail": item.detail}
                    for item in outcome.parked
                ],
                "duplicate": outcome.duplicate,
                "lines": [_describe_line(line) for line in outcome.lines],
            }
        )

    async def fact_schema(_request: Request) -> Response:
        return JSONResponse(schema(), media_type="application/schema+json")

    return [
        Route("/v1/hl7v2", hl7v2, methods=["POST"]),
        Route("/v1/facts", facts, methods=["POST"]),
        Route("/v1/facts/schema", fact_schema, methods=["GET"]),
    ]


@dataclass(frozen=True, slots=True)
class _Senders:
    """Senders by their keys or certificates, each from the addresses of its site."""

    intake: Intake
    uses: KeyUses
    sees_clients: bool

    def identify(self, request: Request) -> "str | Response":
        """Return the site that sends *request*, or the response to one that may not send."""
        authorization = request.headers.get("authorization", "")
        site_of_key = self._find_site_of_key(authorization)
        site_of_certificate = self._find_site_of_certificate(request)
        site = site_of_key or site_of_certificate
        if site is None or (authorization and site_of_key is None):
            return _problem(401, "no valid API key: send Authorization: Bearer KEY")
        if site_of_certificate not in (None, site):
            return _problem(403, f"this certificate may send for {site_of_certificate} only")
        if site not in self.intake.sites.by_id:
            return _problem(403, f"the study has no site {site} any more")
        if not self._is_own_address(site, request):
            detail = f"a key or certificate of {site} may be used from its own addresses only"
            return _problem(403, detail)
        return site

    def _find_site_of_key(self, authorization: str) -> str | None:
        """Return the site of a key that is valid now, whose use is recorded."""
        scheme, _, secret = authorization.partition(" ")
        if scheme.lower() != "bearer" or not secret:
            return None
        instant = self.intake.clock()
        with self.intake.db.read() as conn:
            key = find_valid_api_key(conn, secret.strip(), instant)
        if key is None:
            return None
        self.uses.record(key, instant)
        return key.site

    def _find_site_of_certificate(self, request: Request) -> str | None:
        """Return the site of the certificate that the client has shown (ASGI, TLS Extension)."""
        tls = request.scope.get("extensions", {}).get("tls", {})
        site = self.intake.sites.by_certificate.get(tls.get("client_cert_name", ""))
        return None if site is None else site.id

    def _is_own_address(self, site_id: str, request: Request) -> bool:
        """Return True when *request* comes from where the site sends, as far as that is known."""
        site = self.intake.sites.by_id[site_id]
        if not self.sees_clients or not site.addresses:
            return True
        return is_address_of(site, request.client.host if request.client else "")


async def _submit(
    request: Request, senders: _Senders, writer: Writer, form: MessageFormat, largest: int
) -> tuple[bytes, Outcome] | Response:
    """Return the body and its outcome, or the response to a request that is not read."""
    site = await asyncio.to_thread(senders.identify, request)
    if isinstance(site, Response):
        return site
    encoding = request.headers.get("content-encoding", "").strip().lower()
    if encoding not in ("", "identity"):
        return _problem(415, "the body is compressed: send it without Content-Encoding")
    try:
        body, is_whole = await _read_body(request, largest)
    except ClientDisconnect:
        return _problem(400, "the body ends before its length")  # nobody reads it
    if not is_whole:
        refusal = Refusal("MSH", f"the body is longer than {largest} bytes", "send it in parts")
        head = Submission(body[:_HEAD_BYTES], "http", site, form=form, refusal=refusal)
        await asyncio.wrap_future(writer.submit(head))
        return _problem(413, f"{refusal.problem}: {refusal.remedy}")
    if not body.strip():
        return _problem(422, "the body is empty: send one message, or facts one to a line")
    future = writer.submit(Submission(body, "http", site, form=form))
    return body, await asyncio.wrap_future(future)


async def _read_body(request: Request, largest: int) -> tuple[bytes, bool]:
    """Return the body and True, or False and what was read of one that is longer than *largest*."""
    announced_size = int(request.headers.get("content-length") or 0)  # checked by the server
    body = bytearray()
    async for chunk in request.stream():
        body += chunk
        if max(len(body), announced_size) > largest:
            return bytes(body), False
    return bytes(body), True


def _describe_line(outcome: LineOutcome) -> dict[str, int | str]:
    """Return the answer to one line of facts."""
    answer: dict[str, int | str] = {"line": outcome.line, "outcome": outcome.result}
    if outcome.item is not None:
        answer |= {"reason": outcome.item.reason, "detail": outcome.item.detail}
    return answer


def _problem(status: int, detail: str) -> Response:
    """Return an error response in the form of RFC 9457."""
    return JSONResponse(
        {"title": "not accepted", "status": status, "detail": detail},
        status,
        media_type="application/problem+json",
    )
