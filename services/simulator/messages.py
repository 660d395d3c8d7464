"""Writes HL7 v2.5.1 messages, each site in its own habits; see docs/hl7-profile.md."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from zoneinfo import ZoneInfo

from services.simulator.chemistry import TESTS
from services.simulator.script import Drug, Neuro, Person, Signs, Site

# LOINC codes of each measure: (mass or conventional, molar or SI).
_LOINC = {
    "neutrophils": ("751-8", "751-8"),
    "platelets": ("777-3", "777-3"),
    "hemoglobin": ("718-7", "718-7"),
    "alt": ("1742-6", "1742-6"),
    "ast": ("1920-8", "1920-8"),
    "bilirubin": ("1975-2", "14631-6"),
    "alp": ("6768-6", "6768-6"),
    "creatinine": ("2160-0", "14682-9"),
    "lipase": ("3040-3", "3040-3"),
    "sodium": ("2951-2", "2951-2"),
    "potassium": ("2823-3", "2823-3"),
    "calcium": ("17861-6", "2000-8"),
    "albumin": ("1751-7", "1751-7"),
    "magnesium": ("19123-9", "2601-3"),
    "glucose": ("2345-7", "14749-6"),
    "temperature": ("8310-5", "8310-5"),
    "sbp": ("8480-6", "8480-6"),
    "spo2": ("59408-5", "59408-5"),
    "oxygen-flow": ("3151-8", "3151-8"),
}
LOCAL = {
    "neutrophils": "NEUT_ABS", "platelets": "PLT", "hemoglobin": "HGB", "alt": "SGPT",
    "ast": "SGOT", "bilirubin": "TBIL", "alp": "ALKP", "creatinine": "CREA", "lipase": "LIP",
    "sodium": "NA", "potassium": "K", "calcium": "CA", "albumin": "ALB", "magnesium": "MG",
    "glucose": "GLU",
}  # fmt: skip
_DEVICES = {"room-air": "RA", "nasal-cannula": "NC", "high-flow-cannula": "HFNC"}


@dataclass(frozen=True, slots=True)
class Outgoing:
    """A message before it has a header: when it is sent, from where, what kind, which segments."""

    sent_at: datetime
    site: Site
    kind: str
    segments: tuple[str, ...]
    after: int = 0  # messages of one instant go out in this order


@dataclass(frozen=True, slots=True)
class Result:
    """One OBX: *unit* and *limits* as they are written, empty when left out."""

    code: str
    kind: str
    value: str
    unit: str = ""
    limits: str = ""
    status: str = "F"


def local(at: datetime, site: Site) -> str:
    """Return an instant as the site writes it: in its own calendar, without an offset."""
    return f"{at.astimezone(ZoneInfo(site.timezone)):%Y%m%d%H%M%S}"


def header(outgoing: Outgoing, control_id: str, sequence: int) -> str:
    """Return MSH; the time of the message says its offset."""
    site = outgoing.site
    when = f"{outgoing.sent_at.astimezone(ZoneInfo(site.timezone)):%Y%m%d%H%M%S%z}"
    return (
        f"MSH|^~\\&|{site.application}|{site.facility}|AEGIS|AEGIS|{when}||{outgoing.kind}"
        f"|{control_id}|P|2.5.1|{sequence}|||||UNICODE UTF-8"
    )


def patient(person: Person, mrn: str, extra: str = "") -> str:
    """Return PID."""
    return f"PID|1||{mrn}^^^{person.site.authority}^MR||SYNTHETIC^PERSON||{extra}"


def laboratory(
    measure: str, value: str, site: Site, *, unit: bool = True, limits: bool = True
) -> Result:
    """Return a laboratory result in the site's code, unit and spelling."""
    test = TESTS[site.system][measure]
    return Result(
        _code(measure, site),
        "NM",
        value,
        site.spelling.get(test.unit, test.unit) if unit else "",
        f"{test.lln}-{test.uln}" if limits else "",
    )


def vitals(signs: Signs, site: Site) -> list[Result]:
    """Return one set of vital signs."""
    found = [
        Result(
            _code("temperature", site), "NM", signs.temperature, site.spelling.get("Cel", "Cel")
        ),
        Result(_code("sbp", site), "NM", str(signs.sbp), "mmHg"),
        Result(_code("spo2", site), "NM", str(signs.spo2), "%"),
        Result("AEGIS-OXYGEN-DEVICE^Oxygen device^AEGIS", "ST", _device(signs, site)),
    ]
    if signs.flow is not None:
        found.append(Result(_code("oxygen-flow", site), "NM", str(signs.flow), "L/min"))
    return found


def assessment(neuro: Neuro) -> list[Result]:
    """Return one neurological assessment."""
    return [
        Result("AEGIS-ICE^ICE score^AEGIS", "NM", str(neuro.ice), "{score}"),
        Result("AEGIS-AROUSAL^Arousal^AEGIS", "ST", neuro.arousal),
        Result("AEGIS-SEIZURE^Seizure^AEGIS", "ST", neuro.seizure),
    ]


def report(
    person: Person, mrn: str, order: str, at: datetime, results: Sequence[Result]
) -> tuple[str, ...]:
    """Return the segments of an ORU^R01."""
    when = local(at, person.site)
    segments = [
        patient(person, mrn),
        "PV1|1|I|BMT^12^1",
        f"OBR|1||{order}|PANEL^Panel^L|||{when}",
    ]
    for number, result in enumerate(results, 1):
        segments.append(
            f"OBX|{number}|{result.kind}|{result.code}||{result.value}|{result.unit}"
            f"|{result.limits}||||{result.status}|||{when}"
        )
    return tuple(segments)


def administration(
    person: Person, mrn: str, order: str, at: datetime, drug: Drug
) -> tuple[str, ...]:
    """Return the segments of a RAS^O17."""
    when = local(at, person.site)
    word = f"{drug.word}^{drug.word}^AEGIS" if drug.word else ""
    return (
        patient(person, mrn),
        f"ORC|RE||{order}",
        "|".join(
            ("RXA", "0", "1", when, when, f"{drug.name}^{drug.name}^L", drug.amount, drug.unit, "")
        )
        + f"|{word}|||||||||||CP|A",
        f"RXR|{drug.route}",
    )


def movement(
    person: Person, mrn: str, event: str, at: datetime, *, ward: str = "BMT", extra: str = ""
) -> tuple[str, ...]:
    """Return the segments of an ADT message; *extra* is what follows PID-7."""
    when = local(at, person.site)
    return (f"EVN|{event}|{when}||||{when}", patient(person, mrn, extra), f"PV1|1|I|{ward}^1^1")


def merge(person: Person, at: datetime) -> tuple[str, ...]:
    """Return the segments of an ADT^A40: the second registration was a mistake."""
    when = local(at, person.site)
    gone = f"MRG|{person.also_mrn}^^^{person.site.authority}^MR"
    return (f"EVN|A40|{when}||||{when}", patient(person, person.mrn), gone)


def _code(measure: str, site: Site) -> str:
    if site.local_codes and measure in LOCAL:
        return f"{LOCAL[measure]}^{measure}^L"
    conventional, si = _LOINC[measure]
    return f"{si if site.system == 'si' else conventional}^{measure}^LN"


def _device(signs: Signs, site: Site) -> str:
    return _DEVICES.get(signs.device, signs.device) if site.local_codes else signs.device
