"""A site's file is understood word for word, or refused with the place and what to do."""

import pytest

from services.ingest.adapters.code_tables import load_code_tables
from services.ingest.adapters.study_sites import load_sites
from services.runtime.file_error import UntrustedFileError
from services.runtime.sites_file import read_sites_file
from services.vocabulary.number_text import NumberMarks

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


def test_a_site_has_codes_of_its_own_for_measures_without_a_loinc_code(tmp_path):
    sites = load_file(tmp_path, GOOD.replace("NEUT_ABS: neutrophils", "FEV1_Z: fev1-z-score"))
    assert sites.by_id["north"].codes == {"FEV1_Z": "fev1-z-score"}


MARKS = {
    "none named": ("", None),
    "a decimal comma": ('    decimal_mark: ","\n', NumberMarks(",")),
    "a decimal comma and grouping points": (
        '    decimal_mark: ","\n    thousands_mark: "."\n',
        NumberMarks(",", "."),
    ),
    "grouping commas": ('    thousands_mark: ","\n', NumberMarks(".", ",")),
    "a decimal point": ('    decimal_mark: "."\n', NumberMarks(".")),
}


@pytest.mark.parametrize(("lines", "marks"), MARKS.values(), ids=MARKS)
def test_a_site_names_the_marks_in_its_numbers(tmp_path, lines, marks):
    sites = load_file(tmp_path, GOOD.rstrip() + "\n" + lines)
    assert (sites.by_id["rhein"].marks, sites.by_id["north"].marks) == (marks, None)


BOUND = """    addresses: ["10.4.0.0/16", "::1"]
    certificates: ["CN=engine, O=North"]
    principals: ["User:north"]
"""


def bind_north(of_rhein=""):
    north = f"    icu: [MICU]\n{BOUND}"
    return GOOD.replace("    icu: [MICU]\n", north) + f"    {of_rhein}\n"


def test_a_site_names_its_addresses_and_certificates(tmp_path):
    sites = load_file(tmp_path, bind_north())
    north, rhein = sites.by_id["north"], sites.by_id["rhein"]
    assert [str(one) for one in north.addresses] == ["10.4.0.0/16", "::1/128"]
    assert sites.by_certificate == {"CN=engine,O=North": north}
    _, (north_row, _) = read_sites_file(tmp_path)
    assert north_row.kafka_principals == {"User:north"}
    (tmp_path / "sites.yaml").write_text(
        bind_north().replace('    principals: ["User:north"]\n', "")
    )
    _, (north_row, rhein_row) = read_sites_file(tmp_path)
    assert north_row.kafka_principals == {"User:CN=engine,O=North"}
    assert rhein_row.kafka_principals == frozenset()
    assert (north.is_bound, rhein.is_bound, sites.has_allow_list) == (True, False, True)


SHARED_CREDENTIALS = {
    "addresses: [10.4.255.255]": (
        "addresses: 10.4.255.255/32 and 10.4.0.0/16 of north overlap: an address has one site"
    ),
    "addresses: [10.0.0.0/8]": (
        "addresses: 10.0.0.0/8 and 10.4.0.0/16 of north overlap: an address has one site"
    ),
    "certificates: ['CN=engine,O=North']": (
        "certificates: CN=engine,O=North is of north too: give each site its own"
    ),
    "principals: ['User:CN=engine,O=North']": (
        "principals: User:CN=engine,O=North is of north too: give each site its own"
    ),
}


@pytest.mark.parametrize(("line", "problem"), SHARED_CREDENTIALS.items(), ids=SHARED_CREDENTIALS)
def test_an_address_and_a_certificate_have_one_site(tmp_path, line, problem):
    with pytest.raises(UntrustedFileError) as refusal:
        load_file(tmp_path, bind_north(line))
    assert str(refusal.value) == f"{tmp_path / 'sites.yaml'} line 19, sites.rhein.{problem}"


@pytest.mark.parametrize(
    "line",
    [
        "addresses: [10.3.255.255, 10.5.0.0/16, '::2']",
        "certificates: ['CN=engine,O=Rhein', 'CN=engine']",
    ],
)
def test_neighbours_of_the_addresses_and_certificates_of_others_are_free(tmp_path, line):
    assert load_file(tmp_path, bind_north(line)).by_id["rhein"].is_bound


TYPOS = {  # what is replaced, with what; the fault
    "a key": (
        "authorities: {NMRN",
        "authoritys: {NMRN",
        "line 6, sites.north.authoritys: there is no such key; did you mean 'authorities'?",
    ),
    "a key of the file": (
        "sites:",
        "site:",
        "line 2, site: there is no such key; did you mean 'sites'?",
    ),
    "a measure": (
        "neutrophils",
        "neutrofils",
        (
            "line 7, sites.north.codes.NEUT_ABS: nothing is called 'neutrofils'; did you mean"
            " 'neutrophils'?"
        ),
    ),
    "a unit": (
        "10*3/uL",
        "ten",
        "line 8, sites.north.units.KCELLS: nothing is called 'ten'",
    ),
    "a drug": (
        "dexamethasone",
        "dexa",
        "line 9, sites.north.drugs.DEXA4: nothing is called 'dexa'",
    ),
    "a device": (
        "nasal-cannula",
        "nose",
        "line 10, sites.north.devices.NC: nothing is called 'nose'",
    ),
    "a time zone": (
        "America/New_York",
        "America/NewYork",
        "line 4, sites.north.timezone: 'America/NewYork' is no IANA time zone",
    ),
    "a form of pseudonyms that is no pattern": (
        "sites:\n",
        "pseudonyms: 'P-[0-9'\nsites:\n",
        (
            "line 2, pseudonyms: 'P-[0-9' is no regular expression"
            " (unterminated character set at position 2): write one like P-[0-9]+"
        ),
    ),
    "a path for a time zone": (
        "America/New_York",
        "/etc/passwd",
        "line 4, sites.north.timezone: '/etc/passwd' is no IANA time zone",
    ),
    "two sites of one id": (
        "id: rhein",
        "id: north",
        "line 12, sites.north.id: is the id of another site too: give each its own",
    ),
    "one sender for two": (
        "ORBIS|RHEIN",
        "EPIC|NORTH",
        "line 14, sites.rhein.senders: EPIC|NORTH sends for north too",
    ),
    "a key given twice": (
        "    icu",
        "    codes: {}\n    icu",
        "line 11, sites.north.codes: is given twice: remove one",
    ),
    "a code given twice": (
        "NEUT_ABS: neutrophils",
        "NEUT_ABS: neutrophils, NEUT_ABS: lymphocytes",
        "line 7, sites.north.codes.NEUT_ABS: is given twice: remove one",
    ),
    "a word that YAML takes for a boolean": (
        "NMRN: MR",
        "NMRN: NO",
        (
            "line 6, sites.north.authorities.NMRN: NO is ambiguous: put it in quotes if it is"
            " text, or write true, false or a plain number"
        ),
    ),
    "a ward that YAML takes for a number": (
        "MICU",
        "4100",
        "line 11, sites.north.icu.1: must be text: put it in quotes",
    ),
    "a ward that YAML takes for another number": (
        "MICU",
        "0100",
        (
            "line 11, sites.north.icu.1: 0100 is ambiguous: put it in quotes if it is text, or"
            " write true, false or a plain number"
        ),
    ),
    "a decimal mark that is none": (
        "    icu",
        "    decimal_mark: ';'\n    icu",
        "line 11, sites.north.decimal_mark: must be '', '.' or ',', not ';'",
    ),
    "one mark for two": (
        "    icu",
        "    thousands_mark: '.'\n    icu",
        (
            "line 11, sites.north.thousands_mark: is the decimal mark too: name both, and not the"
            " same"
        ),
    ),
    "an address that is none": (
        "    icu",
        "    addresses: [10.4.0.300]\n    icu",
        (
            "line 11, sites.north.addresses.1: is no address like 10.4.0.7 or 10.4.0.0/16:"
            " '10.4.0.300' does not appear to be an IPv4 or IPv6 network"
        ),
    ),
    "a network with bits of a host": (
        "    icu",
        "    addresses: [10.4.0.1/16]\n    icu",
        (
            "line 11, sites.north.addresses.1: is no address like 10.4.0.7 or 10.4.0.0/16:"
            " 10.4.0.1/16 has host bits set"
        ),
    ),
    "a subject that is none": (
        "    icu",
        "    certificates: [engine.north.example]\n    icu",
        (
            "line 11, sites.north.certificates.1: is no subject of a certificate, like"
            " CN=engine,O=Hospital"
        ),
    ),
    "a principal that is everybody": (
        "    icu",
        "    principals: ['User:*']\n    icu",
        ("line 11, sites.north.principals.1: must match pattern '^User:[^*].*$', not 'User:*'"),
    ),
    "no sites": (GOOD, "sites: []", "line 1, sites: must list at least 1"),
    "nothing": (GOOD, "", "is empty"),
}


@pytest.mark.parametrize(("good", "typo", "problem"), TYPOS.values(), ids=TYPOS)
def test_a_typo_is_refused_with_its_place(tmp_path, good, typo, problem):
    with pytest.raises(UntrustedFileError) as refusal:
        load_file(tmp_path, GOOD.replace(good, typo, 1))
    separator = " " if problem.startswith("line") else ": "
    assert str(refusal.value) == f"{tmp_path / 'sites.yaml'}{separator}{problem}"


def test_every_typo_is_told_at_once(tmp_path):
    with pytest.raises(UntrustedFileError) as refusal:
        load_file(tmp_path, GOOD.replace("neutrophils", "neutro").replace("dexameth", "dexa"))
    assert [fault.line for fault in refusal.value.faults] == [7, 9]


def test_a_code_is_kept_as_it_is_written(tmp_path):
    sites = load_file(tmp_path, GOOD.replace("NEUT_ABS", "00751").replace("NMRN", "NO"))
    north = sites.by_id["north"]
    assert (north.codes, north.authorities) == ({"00751": "neutrophils"}, {"NO": "MR"})


def test_a_missing_file_is_refused(tmp_path):
    with pytest.raises(UntrustedFileError, match=r"sites.yaml: cannot be read: No such file"):
        load_sites(tmp_path, load_code_tables())


@pytest.mark.parametrize(
    ("expectation", "problem"),
    [
        ("{labs: 24h, vitals: 6h, between: 06:00-22:00}", None),
        ("{vitals: 30m}", None),
        ("{labs: daily}", "a duration is written like"),
        ("{between: 22:00-06:00}", "ends before it begins"),
        ("{between: 6-22}", "hours are written like 06:00-22:00"),
        ("{between: 06:00-24:00}", "hours are written like 06:00-22:00"),
        ("{weights: 24h}", "weights"),
    ],
)
def test_a_site_names_the_rhythm_of_its_feeds(tmp_path, expectation, problem):
    lines = [
        "sites:",
        "  - id: north",
        "    timezone: America/New_York",
        f"    expect: {expectation}",
    ]
    (tmp_path / "sites.yaml").write_text("\n".join(lines) + "\n")
    if problem is None:
        assert read_sites_file(tmp_path)[1][0].expect is not None
    else:
        with pytest.raises(UntrustedFileError, match=problem):
            read_sites_file(tmp_path)
