"""The sites of a study and their own codes, units and words."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from ipaddress import IPv4Network, IPv6Network

from services.ingest.domain.pseudonyms import PseudonymForm
from services.ingest.domain.unit_spelling import UnitTable
from services.vocabulary.measure import PlausibleRange
from services.vocabulary.number_text import NumberMarks


@dataclass(frozen=True, slots=True, eq=False, weakref_slot=True)
class SiteMap:
    """One sending site and its mappings; what is read by them may be kept as long as it is.

    Args:
        id: As in the study's files.
        timezone: IANA name; for times without an offset.
        senders: ``APPLICATION|FACILITY`` (MSH-3, MSH-4) by which it sends.
        authorities: Identifier type (PID-3.5) by assigning authority (PID-3.4).
        codes: Our measure by local code.
        units: UCUM unit by local spelling.
        drugs: Our drug by local code or name.
        devices: Our oxygen device by local word.
        marks: Those in its numbers; None: it has not named them.
        icu: Wards (PV1-3.1) that are intensive care.
        ignored: Codes of results (OBX-3) that mean nothing for the study.
        addresses: From which it connects; empty: not said.
        certificates: Subjects (RFC 4514) of the certificates that it shows; empty: not said.
    """

    id: str
    timezone: str
    senders: tuple[str, ...] = ()
    authorities: Mapping[str, str] = field(default_factory=dict)
    codes: Mapping[str, str] = field(default_factory=dict)
    units: Mapping[str, str] = field(default_factory=dict)
    drugs: Mapping[str, str] = field(default_factory=dict)
    devices: Mapping[str, str] = field(default_factory=dict)
    icu: frozenset[str] = frozenset()
    ignored: frozenset[str] = frozenset()
    marks: NumberMarks | None = None
    addresses: tuple[IPv4Network | IPv6Network, ...] = ()
    certificates: tuple[str, ...] = ()

    @property
    def is_bound(self) -> bool:
        """True when only certain connections may speak for it."""
        return bool(self.addresses or self.certificates)


@dataclass(frozen=True, slots=True)
class Sites:
    """Every site of the study, by sender, by id and by the subject of its certificates.

    *pseudonyms* is the form of its participants' names.
    """

    by_sender: Mapping[str, SiteMap]
    by_id: Mapping[str, SiteMap]
    by_certificate: Mapping[str, SiteMap] = field(default_factory=dict)
    pseudonyms: PseudonymForm = field(default_factory=PseudonymForm)

    @property
    def has_allow_list(self) -> bool:
        """True when some site says from which addresses it connects."""
        return any(site.addresses for site in self.by_id.values())

    @classmethod
    def build(cls, sites: tuple[SiteMap, ...], pseudonyms: PseudonymForm | None = None) -> "Sites":
        """Return *sites*, indexed, with the form of their participants' *pseudonyms*."""
        return cls(
            {sender: site for site in sites for sender in site.senders},
            {site.id: site for site in sites},
            {subject: site for site in sites for subject in site.certificates},
            pseudonyms or PseudonymForm(),
        )


@dataclass(frozen=True)
class CodeTables:
    """The codes, units, drugs and words that every site may use without a mapping.

    Args:
        measures: Every measure, also one that has no code here.
        plausible: The values that a living person may have, by measure and unit.
        loinc: Measure by LOINC code.
        mdc: Measure by code or name of ISO/IEEE 11073.
        units: UCUM units, by spelling.
        drugs: Drug by name or code, in lower case.
        words: Word by (measure, spelling in lower case); measures with words have no numbers.
        organisms: Names of what grows in cultures.
    """

    measures: frozenset[str]
    plausible: Mapping[tuple[str, str], PlausibleRange]
    loinc: Mapping[str, str]
    mdc: Mapping[str, str]
    units: UnitTable
    drugs: Mapping[str, str]
    words: Mapping[tuple[str, str], str]
    organisms: frozenset[str] = frozenset()

    @cached_property
    def in_words(self) -> frozenset[str]:
        """The measures whose values are words."""
        return frozenset(measure for measure, _ in self.words)
