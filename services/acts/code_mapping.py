"""The mapping of a code of one site, or its neglect: a new ``sites.yaml`` that runs at once."""

import json
import re
from dataclasses import dataclass, replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Final

from services.acts.append_act import Subject, Values, append_act, require_reason
from services.acts.intake import make_intake
from services.acts.refusal import ActRefusedError
from services.acts.study_activation import append_activation, check_study
from services.acts.study_context import StudyContext
from services.acts.study_files import load_active_study, read_study_files
from services.ingest.parked_items import RetryResult, retry_parked
from services.runtime.clock import now_utc
from services.runtime.file_error import UntrustedFileError
from services.store import study_files
from services.store.private_files import replace_private_file
from services.vocabulary.act import Act, ActKind
from services.vocabulary.person import Actor

TABLES: Final = ("codes", "units", "drugs", "devices")  # of a site, in sites.yaml
_SITES = "sites.yaml"
_PLAIN = re.compile(r"[a-z][a-z0-9_.-]*")  # needs no quotes in YAML; any other text gets them


@dataclass(frozen=True, slots=True)
class CodeMapping:
    """The meaning of one code of one site.

    Args:
        site: Id.
        code: As the site sends it.
        table: Of a site in ``sites.yaml``: codes, units, drugs or devices.
        target: Our name for it; empty: it means nothing for this study, and is ignored.
        reason: Never blank.
    """

    site: str
    code: str
    table: str
    target: str
    reason: str


def map_code(context: StudyContext, actor: Actor, mapping: CodeMapping) -> Act:
    """Let *mapping* be a part of the running ``sites.yaml``, as an act; every process takes it.

    The file in the study's own folder is changed too, where it was the one that ran.

    Raises:
        ActRefusedError: There is no such site, or the code or its target cannot be; says why.
    """
    require_reason(mapping.reason)
    if mapping.table not in TABLES or not mapping.code.strip():
        raise ActRefusedError(
            f"a code of one of {', '.join(TABLES)} is mapped, and it is not blank"
        )
    kind = ActKind.MAP_CODE if mapping.target else ActKind.IGNORE_CODE
    with context.db.write() as conn:
        study_files.lock_activations(conn)
        active_study = load_active_study(conn, context.study_id)
        if active_study is None or _SITES not in active_study.contents:
            raise ActRefusedError("the study has no sites.yaml: nothing is mapped")
        old_text = active_study.contents[_SITES]
        new_text = add_mapping(old_text, mapping)
        contents = {**active_study.contents, _SITES: new_text}
        with TemporaryDirectory() as folder:
            for name, content in contents.items():
                (Path(folder) / name).write_text(content)
            try:
                checked_study = check_study(Path(folder))
            except UntrustedFileError as error:
                problem = "; ".join(error.lines).replace(f"{folder}/", "")
                raise ActRefusedError(f"nothing is mapped: {problem}") from error
        act = append_act(
            conn,
            actor,
            kind,
            Subject(f"{mapping.site} {mapping.code}"),
            Values("", f"{mapping.table}: {mapping.target}" if mapping.target else "ignored"),
            reason=mapping.reason,
            acted_at=now_utc(),
        )
        append_activation(conn, act, checked_study, active_study)
    own_folder = context.settings.study
    if read_study_files(own_folder).get(_SITES) == old_text:
        replace_private_file(own_folder / _SITES, new_text)
    return act


def retry_with_active_files(context: StudyContext, actor: Actor, site: str) -> RetryResult:
    """Read again what waits at *site*, by the files that run now; *context* may have older ones."""
    with context.db.read() as conn:
        active_study = load_active_study(conn, context.study_id)
    settings = context.settings
    if active_study is not None:
        settings = replace(settings, study=active_study.find_folder(settings.study, settings.data))
    return retry_parked(make_intake(replace(context, settings=settings)), actor.id, site)


def add_mapping(text: str, mapping: CodeMapping) -> str:
    r"""Return ``sites.yaml`` with *mapping* in the block of its site; all else stays as it is.

    >>> mapping = CodeMapping("west", "NEUT", "codes", "neutrophils", "as their manual says")
    >>> print(add_mapping("sites:\n  - id: west\n    timezone: UTC\n", mapping).rstrip())
    sites:
      - id: west
        codes:
          "NEUT": neutrophils
        timezone: UTC

    Raises:
        ActRefusedError: No block of that site is found.
    """
    head = re.search(
        rf"^( *)- id: *[\"']?{re.escape(mapping.site)}[\"']? *(#.*)?$", text, re.MULTILINE
    )
    if head is None:
        raise ActRefusedError(f"no site {mapping.site} begins with its id in sites.yaml")
    indent = f"{head[1]}  "
    rest_at = head.end() + 1
    next_site = re.compile(rf"^{head[1]}- ", re.MULTILINE).search(text, rest_at)
    end = next_site.start() if next_site else len(text)
    block, code = text[rest_at:end], json.dumps(mapping.code, ensure_ascii=False)
    table: str = mapping.table
    if mapping.target:
        is_plain = _PLAIN.fullmatch(mapping.target)
        target = mapping.target if is_plain else json.dumps(mapping.target, ensure_ascii=False)
        entry = f"{code}: {target}"
        block_line, flow = f"{indent}  {entry}\n", ("{", "}")
    else:
        table, entry = "ignored", code
        block_line, flow = f"{indent}  - {entry}\n", ("[", "]")
    line = re.search(rf"^{indent}{table}:(.*)$", block, re.MULTILINE)
    if line is None:
        block = f"{indent}{table}:\n{block_line}{block}"
    elif flow[0] in line[1]:
        offset = line.start(1) + line[1].index(flow[0]) + 1
        is_empty = block[offset:].lstrip().startswith(flow[1])
        block = f"{block[:offset]}{entry}{'' if is_empty else ', '}{block[offset:]}"
    else:
        block = f"{block[: line.end() + 1]}{block_line}{block[line.end() + 1 :]}"
    return f"{text[:rest_at]}{block}{text[end:]}"
