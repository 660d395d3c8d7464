"""Facts the way a clinician would write them down."""

import re
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from hashlib import sha256

from services.vocabulary.fact import Fact, Observation, Status
from services.vocabulary.quantity import Censoring, Quantity

NOW = datetime(2026, 3, 1, 8, tzinfo=UTC)


def hours(number):
    """``NOW`` plus so many hours."""
    return NOW + timedelta(hours=number)


def quantity(text, unit=""):
    """``0.49``, ``<0.5`` or ``490 /mm3``: in *unit* unless it names its own; None stays None."""
    if text is None:
        return None
    sign, number, own = re.fullmatch(r"([<>]=?|)(-?[\d.]+)(?: (\S*))?", text).groups()
    return Quantity(
        Decimal(number), unit if own is None else own, Censoring(sign) if sign else None
    )


def fact(body, at=NOW, *, name=None, reported=None, **more):
    """A fact about P-001 at *at* (an instant, or hours after ``NOW``)."""
    when = at if isinstance(at, datetime) else hours(at)
    digest = sha256(repr((body, when)).encode()).hexdigest()
    return Fact(
        id=name or digest[:12],
        subject=more.pop("subject", "P-001"),
        observed_at=when,
        reported_at=hours(reported) if reported is not None else when,
        body=body,
        digest=digest,
        **more,
    )


def lab(measure, value, at=NOW, unit="", *, lln=None, uln=None, **more):
    """A laboratory value about P-001."""
    body = Observation(measure, quantity(value, unit), "", quantity(lln, unit), quantity(uln, unit))
    return fact(body, at, **more)


def status(letter):
    """HL7's letter as a status."""
    return Status(letter)
