"""A site's file is understood word for word, or refused with the place and what to do."""

import pytest

from services.ingest.adapters.code_tables import load_code_tables
from services.ingest.adapters.site_files import SiteFileError, load_sites

GOOD = """
sites:
  - id: north
    timezone: America/New_York
    senders: ["EPIC|NORTH"]
    authorities: {NMRN: MR}
    codes: {NEUT_ABS: neutrophils}
    units: {KCELLS: "10*3/uL"}
    drugs: {DEXA4: dexamethasone}
    devices: {NC: nasal-cannula}
    icu: [MICU]
  - id: rhein
    timezone: Europe/Berlin
    senders: ["ORBIS|RHEIN"]
    authorities: {PATNR: MR}
"""


def load_file(folder, text):
    (folder / "sites.yaml").write_text(text)
    return load_sites(folder, load_code_tables())


def test_a_site_is_found_by_how_it_sends(tmp_path):
    sites = load_file(tmp_path, GOOD)
    assert {sender: site.id for sender, site in sites.by_sender.items()} == {
        "EPIC|NORTH": "north",
        "ORBIS|RHEIN": "rhein",
    }
    north = sites.by_id["north"]
    assert (north.codes["NEUT_ABS"], north.icu) == ("neutrophils", frozenset({"MICU"}))


TYPOS = {
    "a key": (
        "authorities: {NMRN",
        "authoritys: {NMRN",
        "sites.0.authoritys: there is no such key",
    ),
    "a key of the file": ("sites:", "site:", "sites: Field required"),
    "a measure": (
        "neutrophils",
        "neutrofils",
        "NEUT_ABS: nothing is called 'neutrofils'; did you mean 'neutrophils'?",
    ),
    "a unit": ("10*3/uL", "10*3/ul", "north.units.KCELLS: nothing is called"),
    "a drug": ("dexamethasone", "dexa", "north.drugs.DEXA4: nothing is called 'dexa'"),
    "a device": ("nasal-cannula", "nose", "north.devices.NC: nothing is called 'nose'"),
    "a time zone": ("America/New_York", "America/NewYork", "north.timezone: 'America/NewYork' is"),
    "a path for a time zone": ("America/New_York", "/etc/passwd", "is no IANA time zone"),
    "two sites of one id": ("id: rhein", "id: north", "north: two sites have this id"),
    "one sender for two": ("ORBIS|RHEIN", "EPIC|NORTH", "EPIC|NORTH sends for north too"),
    "a key given twice": ("    icu", "    codes: {}\n    icu", "sites.0.codes: given twice"),
    "a word that YAML takes for a boolean": ("NMRN: MR", "NMRN: NO", "sites.0.authorities.NMRN"),
    "a tab": ("    icu", "\ticu", "is no YAML"),
    "nothing": (GOOD, "", "file"),
}


@pytest.mark.parametrize(("good", "typo", "says"), TYPOS.values(), ids=TYPOS)
def test_a_typo_is_refused_with_its_place(tmp_path, good, typo, says):
    with pytest.raises(SiteFileError) as error_info:
        load_file(tmp_path, GOOD.replace(good, typo, 1))
    assert str(tmp_path / "sites.yaml") in str(error_info.value)
    assert says in str(error_info.value)


def test_a_missing_file_is_refused(tmp_path):
    with pytest.raises(SiteFileError, match=r"sites.yaml: cannot be read: No such file"):
        load_sites(tmp_path, load_code_tables())
