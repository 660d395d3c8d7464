"""A connection speaks for the site that names its certificate or address, and for no other."""

from ipaddress import ip_network

import pytest

from services.ingest.domain.connection_access import Admission, Exclusion, Peer, admit
from services.ingest.domain.site import SiteMap, Sites


def site(name, *, addresses=(), certificates=()):
    networks = tuple(map(ip_network, addresses))
    return SiteMap(name, "UTC", addresses=networks, certificates=tuple(certificates))


NORTH = "CN=engine,O=North"
RHEIN = "CN=engine,O=Rhein"
UNBOUND_SITES = (site("north"), site("rhein"))
BY_ADDRESS = (site("north", addresses=["10.4.0.0/16", "fd00::7"]), site("rhein"))
BY_CERTIFICATE = (site("north", certificates=[NORTH]), site("rhein", certificates=[RHEIN]))
BY_BOTH = (
    site("north", addresses=["10.4.0.0/16"], certificates=[NORTH]),
    site("rhein", addresses=["10.5.0.1"]),
)

ADMISSIONS = [  # sites, peer, open; for which site
    (UNBOUND_SITES, Peer("192.0.2.1"), False, ""),
    (UNBOUND_SITES, Peer("192.0.2.1"), True, ""),
    (BY_ADDRESS, Peer("10.4.0.0"), False, "north"),
    (BY_ADDRESS, Peer("10.4.255.255"), False, "north"),
    (BY_ADDRESS, Peer("::ffff:10.4.0.9"), False, "north"),
    (BY_ADDRESS, Peer("fd00::7"), False, "north"),
    (BY_ADDRESS, Peer("fd00::7%eth0"), False, "north"),
    (BY_ADDRESS, Peer("10.4.0.9"), True, "north"),
    (BY_ADDRESS, Peer("10.5.0.0"), True, ""),
    (BY_CERTIFICATE, Peer("192.0.2.1", NORTH), False, "north"),
    (BY_CERTIFICATE, Peer("192.0.2.1", RHEIN), False, "rhein"),
    (BY_CERTIFICATE, Peer("192.0.2.1", RHEIN), True, "rhein"),
    (BY_CERTIFICATE, Peer("192.0.2.1", "CN=other"), True, ""),
    (BY_BOTH, Peer("10.4.0.9", NORTH), False, "north"),
    (BY_BOTH, Peer("10.4.0.9"), False, "north"),
    (BY_BOTH, Peer("10.5.0.1"), False, "rhein"),
    (BY_BOTH, Peer("10.4.0.9", "CN=other"), True, "north"),
]
EXCLUSIONS = [  # sites, peer, open; what is said
    (BY_ADDRESS, Peer("10.3.255.255"), False, "no site has this address"),
    (BY_ADDRESS, Peer("10.5.0.0"), False, "no site has this address"),
    (BY_ADDRESS, Peer("fd00::8"), False, "no site has this address"),
    (BY_ADDRESS, Peer(""), False, "no site has this address"),
    (BY_CERTIFICATE, Peer("10.4.0.9", "CN=engine"), False, "no site has the certificate CN=engine"),
    (BY_CERTIFICATE, Peer("10.4.0.9", ""), False, "no site has the certificate without a subject"),
    (UNBOUND_SITES, Peer("10.4.0.9", ""), False, "no site has the certificate without a subject"),
    (UNBOUND_SITES, Peer("10.4.0.9", NORTH), False, f"no site has the certificate {NORTH}"),
    (BY_BOTH, Peer("10.4.0.9", "CN=other"), False, "no site has the certificate CN=other"),
    (BY_BOTH, Peer("10.5.0.1", NORTH), False, "the certificate of north comes from an address"),
    (BY_BOTH, Peer("10.5.0.1", NORTH), True, "the certificate of north comes from an address"),
    (BY_BOTH, Peer("10.5.0.0"), False, "no site has this address"),
    (BY_BOTH, Peer("10.5.0.2"), False, "no site has this address"),
]


@pytest.mark.parametrize(("sites", "peer", "is_open", "expected"), ADMISSIONS)
def test_who_is_known_speaks_for_one_site(sites, peer, is_open, expected):
    assert admit(peer, Sites.build(sites), is_open=is_open) == Admission(expected)


@pytest.mark.parametrize(("sites", "peer", "is_open", "problem"), EXCLUSIONS)
def test_who_is_not_known_is_told_to_the_operator_with_the_remedy(sites, peer, is_open, problem):
    exclusion = admit(peer, Sites.build(sites), is_open=is_open)
    assert isinstance(exclusion, Exclusion)
    assert problem in exclusion.problem
    assert "in sites.yaml" in exclusion.remedy


@pytest.mark.parametrize(
    ("sites", "is_bound"),
    [(UNBOUND_SITES, (False, False)), (BY_ADDRESS, (True, False)), (BY_CERTIFICATE, (True, True))],
)
def test_a_site_that_names_a_credential_is_bound(sites, is_bound):
    assert tuple(one.is_bound for one in sites) == is_bound
