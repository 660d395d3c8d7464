"""The bill of materials of the image's packages (CycloneDX 1.6): the same for the same lock."""

from collections.abc import Sequence
from uuid import UUID, uuid5

from cyclonedx.model import ExternalReference, ExternalReferenceType, HashAlgorithm, HashType, XsUri
from cyclonedx.model.bom import Bom
from cyclonedx.model.component import Component, ComponentType
from cyclonedx.model.license import DisjunctiveLicense, LicenseExpression
from cyclonedx.output.json import JsonV1Dot6
from packageurl import PackageURL

from deploy.supply.locked_packages import LockedPackage

_NAMESPACE = UUID("5b7d4a52-7c1e-5c0e-9a55-2f0c7f6a4b11")


def write_bill(packages: Sequence[LockedPackage], version: str) -> str:
    """Return the bill of Aegis *version* with *packages*, as JSON.

    It has no date, and a serial number that follows from its content. Each package has the hashes
    of the files from which it may be installed.
    """
    root = Component(name="aegis", version=version, type=ComponentType.APPLICATION, bom_ref="aegis")
    components = {package.name: _make_component(package) for package in packages}
    content = "|".join(f"{package.name}=={package.version}" for package in packages)
    bill = Bom(components=components.values(), serial_number=uuid5(_NAMESPACE, content))
    bill.metadata.component = root
    bill.metadata.timestamp = None  # type: ignore[assignment]  # the schema lets it be left out
    bill.register_dependency(root, components.values())
    for package in packages:
        bill.register_dependency(
            components[package.name], [components[name] for name in package.requires]
        )
    return JsonV1Dot6(bill).output_as_string(indent=1) + "\n"


def _make_component(package: LockedPackage) -> Component:
    address = PackageURL("pypi", name=package.name, version=package.version)
    files = ExternalReference(
        type=ExternalReferenceType.DISTRIBUTION,
        url=XsUri(str(address)),
        hashes=[HashType(alg=HashAlgorithm.SHA_256, content=digest) for digest in package.sha256],
    )
    return Component(
        name=package.name,
        version=package.version,
        type=ComponentType.LIBRARY,
        bom_ref=str(address),
        purl=address,
        licenses=[_make_licence(package.licence)] if package.licence else [],
        external_references=[files],
    )


def _make_licence(text: str) -> LicenseExpression | DisjunctiveLicense:
    is_expression = " " not in text or " AND " in text or " OR " in text
    return LicenseExpression(text) if is_expression else DisjunctiveLicense(name=text)
