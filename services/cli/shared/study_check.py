"""The files of a study together: that a service could start by them, and read what they name."""

from collections.abc import Iterator
from difflib import get_close_matches
from pathlib import Path

from services.ingest.adapters.code_tables import load_code_tables
from services.ingest.adapters.study_sites import load_sites
from services.runtime.file_error import FileFault, UntrustedFileError
from services.runtime.recipients_file import RECIPIENTS, read_recipients_file
from services.runtime.sites_file import SITES
from services.safety_rules.adapters.protocol_files import Study
from services.vocabulary.person import Role
from services.vocabulary.protocol import Protocol

_PURPOSES = {SITES: "who sends, by which codes", RECIPIENTS: "who is told"}
_DRUG_CODES = "services/ingest/codes/drugs.csv"


def require_sound_study(path: Path, study: Study) -> None:
    """Require that everything which a service reads of *study* is there and sound.

    Args:
        path: The study's folder; or its protocol alone, beside which nothing has to be.
        study: Read from it.

    Raises:
        UntrustedFileError: A file is missing or cannot be trusted, or no code of a feed means the
            study drug; with all such faults.
    """
    faults: list[FileFault] = []
    if path.is_dir():
        faults += (
            FileFault(str(path / name), 0, "", f"is missing: it says {_PURPOSES[name]}")
            for name in list_missing_files(path)
        )
    faults += _list_faults_of_others(path if path.is_dir() else path.parent)
    if problem := _describe_unknown_drug(study.protocol):
        faults += study.document.refusal([("study_drug", problem)]).faults
    if faults:
        raise UntrustedFileError(faults)


def list_missing_files(folder: Path) -> list[str]:
    """Return the names of the files beside the protocol that a service needs and that are not."""
    return [name for name in _PURPOSES if not (folder / name).exists()]


def list_unread_drugs(protocol: Protocol) -> list[str]:
    """Return the drugs of *protocol*, but for the study drug, that no code of a feed means."""
    known_drugs = _list_known_drugs()
    named_drugs = dict.fromkeys(_list_drugs(protocol))
    return [name for name in named_drugs if name not in known_drugs | {protocol.study_drug}]


def _list_faults_of_others(folder: Path) -> Iterator[FileFault]:
    try:
        if (folder / SITES).exists():
            load_sites(folder, load_code_tables())
        if (folder / RECIPIENTS).exists():
            yield from _list_operator_faults(folder)
    except UntrustedFileError as error:
        yield from error.faults


def _list_operator_faults(folder: Path) -> Iterator[FileFault]:
    if Role.OPERATOR not in read_recipients_file(folder).roles:
        problem = f"has no {Role.OPERATOR}, who is told when a notice cannot be delivered: add one"
        yield FileFault(str(folder / RECIPIENTS), 0, "roles", problem)


def _describe_unknown_drug(protocol: Protocol) -> str:
    known_drugs, name = _list_known_drugs(), protocol.study_drug
    if name in known_drugs:
        return ""
    close_names = get_close_matches(name, sorted(known_drugs), n=1)
    remedy = (
        f"did you mean {close_names[0]!r}?"
        if close_names
        else f"no dose of it could be read; its names in feeds belong in {_DRUG_CODES}"
    )
    return f"nothing is called {name!r}; {remedy}"


def _list_known_drugs() -> frozenset[str]:
    return frozenset(load_code_tables().drugs.values())


def _list_drugs(protocol: Protocol) -> Iterator[str]:
    bedside = protocol.bedside
    yield from bedside.antipyretics
    yield from bedside.steroids
    yield from bedside.anticytokines
    yield from bedside.vasopressors
    yield from bedside.vasopressors_not_counted
    yield from bedside.antibiotics
    yield from (inducer.drug for inducer in protocol.inducers if inducer.drug)
    if protocol.deviations is not None and protocol.deviations.premedication is not None:
        yield protocol.deviations.premedication.drug
