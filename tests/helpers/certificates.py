"""Certificates for tests as PEM files: of an authority, signed by it, and self-signed."""

from datetime import UTC, datetime, timedelta
from ipaddress import ip_address

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID


class Authority:
    """An authority with its certificate in *folder*, at `path`."""

    def __init__(self, folder, name="authority"):
        self.folder = folder
        self._name = _make_name(name)
        self.path, self._key = _self_signed(folder, name)

    def issue(self, name, *, has_subject=True):
        """Return the paths of a certificate for *name* on the loopback address, and of its key."""
        key = ec.generate_private_key(ec.SECP256R1())
        subject = _make_name(name) if has_subject else x509.Name([])
        builder = _certificate(subject, self._name, key, is_authority=False)
        alternative_name = x509.SubjectAlternativeName([x509.IPAddress(ip_address("127.0.0.1"))])
        path = self.folder / f"{name}.pem"
        path.write_bytes(_pem(builder.add_extension(alternative_name, critical=False), self._key))
        return path, _write_key(key, path)


def make_self_signed(folder, name):
    """Return the paths of a self-signed certificate for *name* and of its key."""
    path, key = _self_signed(folder, name)
    return path, _write_key(key, path)


def _self_signed(folder, name):
    key = ec.generate_private_key(ec.SECP256R1())
    builder = _certificate(_make_name(name), _make_name(name), key, is_authority=True)
    alternative_name = x509.SubjectAlternativeName([x509.DNSName(name)])
    path = folder / f"{name}.pem"
    path.write_bytes(_pem(builder.add_extension(alternative_name, critical=False), key))
    return path, key


def _make_name(name):
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])


def _pem(builder, key):
    return builder.sign(key, hashes.SHA256()).public_bytes(serialization.Encoding.PEM)


def _write_key(key, certificate_path):
    path = certificate_path.with_suffix(".key")
    path.write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
    )
    return path


def _certificate(subject, issuer, key, *, is_authority):
    issued_at = datetime.now(tz=UTC)
    limits = x509.BasicConstraints(ca=is_authority, path_length=None)
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(issued_at - timedelta(days=1))
        .not_valid_after(issued_at + timedelta(days=1))
        .add_extension(limits, critical=True)
    )
