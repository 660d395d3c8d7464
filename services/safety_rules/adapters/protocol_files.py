"""A study's folder, refused unless every word of it is understood and every table recomputed."""

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path

from services.runtime.file_models import read_model
from services.runtime.recipients_file import RECIPIENTS, read_recipients_file
from services.runtime.sites_file import SITES, read_sites_file
from services.runtime.strict_yaml import Document, read_content, read_yaml
from services.safety_rules.adapters.protocol_rows import ProtocolFile
from services.safety_rules.adapters.signatures_file import load_signatures
from services.safety_rules.domain.stopping.rule_faults import (
    RuleDesign,
    find_rule_faults,
    recompute_design,
)
from services.vocabulary.protocol import Protocol

PROTOCOL = "protocol.yaml"


@dataclass(frozen=True, slots=True)
class Study:
    """A study's folder, as its files have it.

    Args:
        protocol: All that the rules read.
        document: ``protocol.yaml``, for the lines of what is found wrong later.
        content: The same as it is on disk: what the signatures are over.
        designs: The recomputed design of each rule, by the rule's id.
        typed_signatures: ``Name, role, date`` of each signature that somebody wrote into
            ``signatures.yaml``, as an earlier release had it; nobody has verified them.
    """

    protocol: Protocol
    document: Document
    content: bytes
    designs: Mapping[str, RuleDesign]
    typed_signatures: tuple[str, ...] = ()


def load_study(folder: Path, name: str = PROTOCOL) -> Study:
    """Return the study of *folder*.

    It reads ``protocol.yaml``, or the file of another *name*, and, when they are there,
    ``sites.yaml`` (time zones), ``signatures.yaml`` and ``recipients.yaml`` (that every role is
    somebody's).

    Raises:
        UntrustedFileError: A file is missing or not YAML; a key is missing, unknown or given twice;
            a value is out of range; a name means nothing; a boundary is not what its method gives;
            a worked example comes out otherwise.
    """
    path = folder / name
    content = read_content(path)
    document = read_yaml(content, str(path))
    file = read_model(document, ProtocolFile)
    digest = sha256(content).hexdigest()
    protocol = file.value(_load_timezones(folder), digest, ())
    faults = [
        *_find_protocol_faults(protocol, _load_roles(folder)),
        *_find_assumption_faults(document),
    ]
    if faults:
        raise document.refusal(faults)
    designs = {rule.id: recompute_design(rule) for rule in protocol.rules}
    typed_signatures = load_signatures(folder).list_signers(digest)
    return Study(protocol, document, content, designs, typed_signatures)


def _find_protocol_faults(
    protocol: Protocol, roles: Collection[str] | None
) -> Iterator[tuple[str, str]]:
    """Yield contradictions between parts of the file, and between a rule and its own method."""
    for index, rule in enumerate(protocol.rules):
        path = f"rules.{rule.id}"
        if not rule.id.startswith(f"{protocol.study}."):
            yield f"{path}.id", f"{rule.id!r} does not start with {protocol.study + '.'!r}"
        if rule.id in {earlier.id for earlier in protocol.rules[:index]}:
            yield f"{path}.id", f"{rule.id!r} is the id of an earlier rule"
        for k, pattern in enumerate(rule.any_of, 1):
            if pattern.term_set and pattern.term_set not in protocol.term_sets:
                field = f"{path}.event.any_of.{k}.term_set"
                yield field, f"{pattern.term_set!r} is not in term_sets"
        yield from ((f"{path}.{field}", problem) for field, problem in find_rule_faults(rule))
        yield from _find_role_faults(f"{path}.then.tell", rule.consequence.tell, roles)
    if (plan := protocol.endpoints) is not None:
        path = "endpoints.adverse_events"
        if plan.term_set not in protocol.term_sets:
            yield f"{path}.term_set", f"{plan.term_set!r} is not in term_sets"
        if plan.window not in protocol.windows:
            yield f"{path}.window", f"{plan.window!r} is not in windows"
    for field in ("tell", "tell_death", "escalate_to"):
        yield from _find_role_faults(f"alerts.{field}", getattr(protocol.alerts, field), roles)


def _find_role_faults(
    field: str, names: tuple[str, ...], roles: Collection[str] | None
) -> Iterator[tuple[str, str]]:
    if not names:
        yield field, "names nobody"
    for name in names:
        if roles is not None and name not in roles:
            yield field, f"nobody in {RECIPIENTS} is {name!r}"


def _find_assumption_faults(document: Document) -> Iterator[tuple[str, str]]:
    """Yield each path under ``assumed`` that leads to nothing: a number that moved away."""
    rules = ((f"rules.{rule['id']}.", rule) for rule in document.value["rules"])
    for prefix, part in (("", document.value), *rules):
        for index, path in enumerate(part.get("assumed", ()), 1):
            if not _has_path(part, path.split(".")):
                yield f"{prefix}assumed.{index}", f"{path!r} is not in the file"


def _has_path(part: object, keys: list[str]) -> bool:
    for key in keys:
        if not isinstance(part, Mapping) or key not in part:
            return False
        part = part[key]
    return True


def _load_timezones(folder: Path) -> Mapping[str, str]:
    if not (folder / SITES).exists():
        return {}
    _, sites = read_sites_file(folder)
    return {site.id: site.timezone for site in sites}


def _load_roles(folder: Path) -> Collection[str] | None:
    """Return the roles that somebody has; None where no file names people."""
    if not (folder / RECIPIENTS).exists():
        return None
    return read_recipients_file(folder).roles.keys()
