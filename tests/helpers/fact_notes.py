"""Facts from short notes: values as text, times as hours after ``HOUR_ZERO``."""

import re
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from hashlib import sha256

from services.runtime.canonical_json import write_canonical
from services.vocabulary.clinical_fact import Observation
from services.vocabulary.fact import Fact, Status
from services.vocabulary.quantity import Censoring, Quantity

HOUR_ZERO = datetime(2026, 3, 1, 8, tzinfo=UTC)


def hours(number):
    """``HOUR_ZERO`` plus so many hours."""
    return HOUR_ZERO + timedelta(hours=number)


def quantity(text, unit=""):
    """``0.49``, ``<0.5`` or ``490 /mm3``: in *unit* unless it names its own; None stays None."""
    if text is None:
        return None
    sign, number, own_unit = re.fullmatch(r"([<>]=?|)(-?[\d.]+)(?: (\S*))?", text).groups()
    return Quantity(
        Decimal(number), unit if own_unit is None else own_unit, Censoring(sign) if sign else None
    )


def fact(body, time=HOUR_ZERO, *, name=None, reported_hour=None, **fields):
    """A fact about P-001 at *time* (an instant, or hours after ``HOUR_ZERO``)."""
    when = time if isinstance(time, datetime) else hours(time)
    digest = sha256(f"{when:%Y-%m-%dT%H:%M:%S} {write_canonical(body)}".encode()).hexdigest()
    return Fact(
        id=name or digest[:12],
        subject=fields.pop("subject", "P-001"),
        observed_at=when,
        reported_at=hours(reported_hour) if reported_hour is not None else when,
        body=body,
        digest=digest,
        **fields,
    )


def lab(measure, value, time=HOUR_ZERO, unit="", *, lln=None, uln=None, **fields):
    """A laboratory value about P-001."""
    body = Observation(measure, quantity(value, unit), "", quantity(lln, unit), quantity(uln, unit))
    return fact(body, time, **fields)


def status(letter):
    """HL7's letter as a status."""
    return Status(letter)
