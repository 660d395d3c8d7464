"""The certificate that a client of an HTTP port shows, as an application finds it in its scope.

Source: ASGI, TLS Extension 0.2, ``client_cert_name``; uvicorn does not have it.
"""

import asyncio
import ssl

from starlette.types import ASGIApp, Receive, Scope, Send

from services.runtime.certificate_subjects import read_subject


def add_client_certificate(app: ASGIApp, transport: asyncio.BaseTransport) -> ASGIApp:
    """Return *app* for the requests of one connection, with the subject that its client has shown.

    Args:
        app: The application of the port.
        transport: Of the connection; it has verified the certificate.
    """
    tls: ssl.SSLObject | None = transport.get_extra_info("ssl_object")
    certificate = tls.getpeercert(binary_form=True) if tls is not None else None
    if not certificate:
        return app
    extension = {"client_cert_name": read_subject(certificate)}

    async def call(scope: Scope, receive: Receive, send: Send) -> None:
        extensions = {**scope.get("extensions", {}), "tls": extension}
        await app({**scope, "extensions": extensions}, receive, send)

    return call
