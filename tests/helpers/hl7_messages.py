"""HL7 messages as an interface engine sends them, and two sites with codes of their own."""

from services.ingest.adapters.code_tables import load_code_tables
from services.ingest.domain.hl7.read import read_message
from services.ingest.domain.message_content import Refusal
from services.ingest.domain.site import SiteMap, Sites

NORTH = SiteMap(
    "north",
    "America/New_York",
    ("LAB|NORTH",),
    {"NMRN": "MR"},
    codes={"NEUT_ABS": "neutrophils", "768-2": "neutrophils", "CREA": "creatinine"},
    units={"KCELLS": "10*3/uL"},
    drugs={"DEXA4MG": "dexamethasone"},
    devices={"O2NC": "nasal-cannula"},
    icu=frozenset({"MICU"}),
)
RHEIN = SiteMap("rhein", "Europe/Berlin", ("ORBIS|RHEIN",), {"PATNR": "MR"})
SITES = Sites.build((NORTH, RHEIN))

PID = "PID|1||QX4711^^^NMRN^MR||DOE^JANE||19700101|F"
OBR = "OBR|1||ORD1^LAB|58410-2^CBC^LN|||20260301080000-0500"
NEUTROPHILS = "751-8^Neutrophils^LN"


def header(
    kind="ORU^R01", control_id="1", sender="LAB|NORTH", sent_at="20260301090000-0500", tail=""
):
    """MSH of a message; *tail* follows MSH-12."""
    return rf"MSH|^~\&|{sender}|AEGIS|TRIAL|{sent_at}||{kind}|{control_id}|P|2.5.1{tail}"


def obx(
    value, unit="10*3/uL", *, kind="NM", code=NEUTROPHILS, limits="", status="F", observed_at=""
):
    """OBX of one result."""
    return f"OBX|1|{kind}|{code}||{value}|{unit}|{limits}||||{status}|||{observed_at}"


def message(*segments, end="\r", **head):
    """A message of *segments* after its header, each ended by *end*."""
    return "".join(f"{one}{end}" for one in (header(**head), *segments)).encode()


def labs(*results, **head):
    """A message of laboratory results about one participant."""
    return message(PID, OBR, *results, **head)


def read_content(raw):
    """Return the content of *raw*, read with these two sites."""
    content = read_message(raw, SITES, load_code_tables())
    assert not isinstance(content, Refusal), str(content)
    return content


def read_refusal(raw):
    """Return the refusal of *raw*."""
    outcome = read_message(raw, SITES, load_code_tables())
    assert isinstance(outcome, Refusal)
    return outcome


def read_draft(*segments, **head):
    """Return the only fact draft of a message with one result."""
    content = read_content(labs(*segments, **head))
    assert (len(content.drafts), content.parked) == (1, ()), content
    return content.drafts[0]


def read_parked(raw):
    """Return path and reason of each item that *raw* parks."""
    return [(item.path, str(item.reason)) for item in read_content(raw).parked]
