"""HL7 v2.5.1 messages as each site writes them; see docs/hl7-profile.md."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from zoneinfo import ZoneInfo

from services.simulator.chemistry import TESTS
from services.simulator.script import (
    NeuroAssessment,
    Person,
    PlannedDrug,
    SimulatedSite,
    VitalSigns,
)

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
LOCAL_CODES = {
    "neutrophils": "NEUT_ABS", "platelets": "PLT", "hemoglobin": "HGB", "alt": "SGPT",
    "ast": "SGOT", "bilirubin": "TBIL", "alp": "ALKP", "creatinine": "CREA", "lipase": "LIP",
    "sodium": "NA", "potassium": "K", "calcium": "CA", "albumin": "ALB", "magnesium": "MG",
    "glucose": "GLU",
}  # fmt: skip
_DEVICES = {"room-air": "RA", "nasal-cannula": "NC", "high-flow-cannula": "HFNC"}


@dataclass(frozen=True, slots=True)
class OutgoingMessage:
    """A message without its header: time of sending, site, type and segments."""

    sent_at: datetime
    site: SimulatedSite
    kind: str
    segments: tuple[str, ...]
    rank: int = 0  # messages of one instant go out in this order


@dataclass(frozen=True, slots=True)
class Result:
    """One OBX: *unit* and *limits* as they are written, empty when left out."""

    code: str
    kind: str
    value: str
    unit: str = ""
    limits: str = ""
    status: str = "F"


def format_local(instant: datetime, site: SimulatedSite) -> str:
    """Return an instant as the site writes it: in local time, without an offset."""
    return f"{instant.astimezone(ZoneInfo(site.timezone)):%Y%m%d%H%M%S}"


def write_header(message: OutgoingMessage, control_id: str, sequence: int) -> str:
    """Return MSH; the time of the message has an offset."""
    site = message.site
    when = f"{message.sent_at.astimezone(ZoneInfo(site.timezone)):%Y%m%d%H%M%S%z}"
    return (
        f"MSH|^~\\&|{site.application}|{site.facility}|AEGIS|AEGIS|{when}||{message.kind}"
        f"|{control_id}|P|2.5.1|{sequence}|||||UNICODE UTF-8"
    )


def write_patient(person: Person, mrn: str, extra: str = "") -> str:
    """Return the PID segment."""
    return f"PID|1||{mrn}^^^{person.site.authority}^MR||SYNTHETIC^PERSON||{extra}"


def build_lab_result(
    measure: str, value: str, site: SimulatedSite, *, unit: bool = True, limits: bool = True
) -> Result:
    """Return a laboratory result in the site's code, unit and spelling."""
    test = TESTS[site.system][measure]
    return Result(
        _code_text(measure, site),
        "NM",
        value,
        site.spelling.get(test.unit, test.unit) if unit else "",
        f"{test.lln}-{test.uln}" if limits else "",
    )


def build_vital_signs(signs: VitalSigns, site: SimulatedSite) -> list[Result]:
    """Return one set of vital signs."""
    results = [
        Result(
            _code_text("temperature", site),
            "NM",
            signs.temperature,
            site.spelling.get("Cel", "Cel"),
        ),
        Result(_code_text("sbp", site), "NM", str(signs.sbp), "mmHg"),
        Result(_code_text("spo2", site), "NM", str(signs.spo2), "%"),
        Result("AEGIS-OXYGEN-DEVICE^Oxygen device^AEGIS", "ST", _device_word(signs, site)),
    ]
    if signs.flow is not None:
        results.append(Result(_code_text("oxygen-flow", site), "NM", str(signs.flow), "L/min"))
    return results


def build_assessment(neuro: NeuroAssessment) -> list[Result]:
    """Return one neurological assessment."""
    return [
        Result("AEGIS-ICE^ICE score^AEGIS", "NM", str(neuro.ice), "{score}"),
        Result("AEGIS-AROUSAL^Arousal^AEGIS", "ST", neuro.arousal),
        Result("AEGIS-SEIZURE^Seizure^AEGIS", "ST", neuro.seizure),
    ]


def write_report(
    person: Person, mrn: str, order: str, observed_at: datetime, results: Sequence[Result]
) -> tuple[str, ...]:
    """Return the segments of an ORU^R01."""
    when = format_local(observed_at, person.site)
    segments = [
        write_patient(person, mrn),
        "PV1|1|I|BMT^12^1",
        f"OBR|1||{order}|PANEL^Panel^L|||{when}",
    ]
    for number, result in enumerate(results, 1):
        segments.append(
            f"OBX|{number}|{result.kind}|{result.code}||{result.value}|{result.unit}"
            f"|{result.limits}||||{result.status}|||{when}"
        )
    return tuple(segments)


def write_administration(
    person: Person, mrn: str, order: str, given_at: datetime, drug: PlannedDrug
) -> tuple[str, ...]:
    """Return the segments of a RAS^O17."""
    when = format_local(given_at, person.site)
    word = f"{drug.word}^{drug.word}^AEGIS" if drug.word else ""
    return (
        write_patient(person, mrn),
        f"ORC|RE||{order}",
        "|".join(
            ("RXA", "0", "1", when, when, f"{drug.name}^{drug.name}^L", drug.amount, drug.unit, "")
        )
        + f"|{word}|||||||||||CP|A",
        f"RXR|{drug.route}",
    )


def write_movement(
    person: Person, mrn: str, event: str, moved_at: datetime, *, ward: str = "BMT", extra: str = ""
) -> tuple[str, ...]:
    """Return the segments of an ADT message; *extra* is what follows PID-7."""
    when = format_local(moved_at, person.site)
    return (
        f"EVN|{event}|{when}||||{when}",
        write_patient(person, mrn, extra),
        f"PV1|1|I|{ward}^1^1",
    )


def write_merge(person: Person, merged_at: datetime) -> tuple[str, ...]:
    """Return the segments of an ADT^A40: the second registration was a mistake."""
    when = format_local(merged_at, person.site)
    merge_segment = f"MRG|{person.second_mrn}^^^{person.site.authority}^MR"
    return (f"EVN|A40|{when}||||{when}", write_patient(person, person.mrn), merge_segment)


def _code_text(measure: str, site: SimulatedSite) -> str:
    if site.local_codes and measure in LOCAL_CODES:
        return f"{LOCAL_CODES[measure]}^{measure}^L"
    conventional, si = _LOINC[measure]
    return f"{si if site.system == 'si' else conventional}^{measure}^LN"


def _device_word(signs: VitalSigns, site: SimulatedSite) -> str:
    return _DEVICES.get(signs.device, signs.device) if site.local_codes else signs.device
