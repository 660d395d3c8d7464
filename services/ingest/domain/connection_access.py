"""The site for which a connection may speak, by the certificate that it shows and its address.

A site that names addresses or certificates is *bound*: a connection speaks for it only with one of
these. A port that lists addresses, or asks for certificates, takes nothing from anybody else; an
open one takes the messages of sites that are not bound from everybody.
"""

from dataclasses import dataclass
from ipaddress import IPv6Address, ip_address

from services.ingest.domain.site import SiteMap, Sites


@dataclass(frozen=True, slots=True)
class Peer:
    """The other end of a connection.

    Args:
        address: From which it connects.
        certificate: Subject of the certificate that it shows, which may be empty; None: it has
            shown none.
    """

    address: str
    certificate: str | None = None


@dataclass(frozen=True, slots=True)
class Admission:
    """A connection that may send, for *site* alone; empty: for every site that is not bound."""

    site: str = ""


@dataclass(frozen=True, slots=True)
class Exclusion:
    """A connection that may not send: the problem, and the remedy."""

    problem: str
    remedy: str


def admit(peer: Peer, sites: Sites, *, is_open: bool) -> Admission | Exclusion:
    """Return the site for which *peer* may speak, or the reason for which it may not send at all.

    Args:
        peer: The other end.
        sites: Of the study.
        is_open: True when the port also takes senders that no site names.
    """
    site = sites.by_certificate.get(peer.certificate) if peer.certificate else None
    if site is not None:
        if site.addresses and not is_address_of(site, peer.address):
            return Exclusion(
                f"the certificate of {site.id} comes from an address that is not its own",
                f"add the address to those of {site.id} in sites.yaml",
            )
        return Admission(site.id)
    if peer.certificate is not None and not is_open:
        return Exclusion(
            f"no site has the certificate {peer.certificate or 'without a subject'}",
            "name it under certificates of its site in sites.yaml",
        )
    owners = [site for site in sites.by_id.values() if is_address_of(site, peer.address)]
    if owners:
        return Admission(owners[0].id)
    if is_open or not sites.has_allow_list:
        return Admission()
    return Exclusion(
        "no site has this address", "name it under addresses of its site in sites.yaml"
    )


def is_address_of(site: SiteMap, address: str) -> bool:
    """Return True when *site* names *address*.

    An IPv4 address that a port of both versions writes as IPv6 is itself.

    >>> from ipaddress import ip_network
    >>> north = SiteMap("north", "UTC", addresses=(ip_network("10.4.0.0/16"),))
    >>> is_address_of(north, "10.4.255.255"), is_address_of(north, "10.5.0.0")
    (True, False)
    >>> is_address_of(north, "::ffff:10.4.0.1"), is_address_of(north, "a socket of this machine")
    (True, False)
    """
    try:
        peer_address = ip_address(address.partition("%")[0])  # without its interface
    except ValueError:
        return False
    if isinstance(peer_address, IPv6Address) and peer_address.ipv4_mapped:
        peer_address = peer_address.ipv4_mapped
    return any(peer_address in network for network in site.addresses)
