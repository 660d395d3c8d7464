"""The mapping of a code of one site, or its neglect: a new ``sites.yaml`` that runs at once."""

import json
import re
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Final

from services.acts.append_act import Subject, Values, append_act, require_reason
from services.acts.intake import make_intake
from services.acts.refusal import ActRefusedError
from services.acts.sent_codes import find_own_code, was_sent
from services.acts.study_activation import append_activation, check_study
from services.acts.study_context import StudyContext
from services.acts.study_files import is_stored_copy, load_active_study, read_study_files
from services.ingest.parked_items import RetryResult, retry_parked
from services.runtime.clock import now_utc
from services.runtime.file_error import UntrustedFileError
from services.runtime.site_tables import find_meaning, remove_entry
from services.store import study_files
from services.store.private_files import replace_private_file
from services.vocabulary.act import Act, ActKind
from services.vocabulary.person import Actor

TABLES: Final = ("codes", "units", "drugs", "devices")  # of a site, in sites.yaml
_SITES, _IGNORED_TABLE = "sites.yaml", "ignored"
_PLAIN = re.compile(r"[a-z][a-z0-9_.-]*")  # needs no quotes in YAML; any other text gets them


@dataclass(frozen=True, slots=True)
class CodeMapping:
    """The meaning of one code of one site.

    Args:
        site: Id.
        code: As the site sends it, or as the page of parked items spells it.
        table: Of a site in ``sites.yaml``: codes, units, drugs or devices.
        target: Our name for it; empty: it means nothing for this study, and is ignored.
        reason: Never blank.
    """

    site: str
    code: str
    table: str
    target: str
    reason: str


def map_code(context: StudyContext, actor: Actor, new_mapping: CodeMapping) -> Act:
    """Let *new_mapping* be a part of the running ``sites.yaml``, as an act; every process takes it.

    The file in the study's own folder is changed too, where it was the one that ran.

    Raises:
        ActRefusedError: There is no such site, the site never sent the code, or the code or its
            target cannot be; says why.
    """
    require_reason(new_mapping.reason)
    new_mapping = replace(new_mapping, code=find_own_code(new_mapping.table, new_mapping.code))
    if new_mapping.table not in TABLES or not new_mapping.code:
        raise ActRefusedError(
            f"a code of one of {', '.join(TABLES)} is mapped, and it is not blank"
        )
    kind = ActKind.MAP_CODE if new_mapping.target else ActKind.IGNORE_CODE
    with context.db.write() as conn:
        study_files.lock_activations(conn)
        active_study = load_active_study(conn, context.study_id)
        if active_study is None or _SITES not in active_study.contents:
            raise ActRefusedError("the study has no sites.yaml: nothing is mapped")
        old_text = active_study.contents[_SITES]
        old_meaning = _find_old_meaning(old_text, new_mapping)
        new_text = set_mapping(old_text, new_mapping)
        if not old_meaning and not was_sent(
            conn, context.keys, new_mapping.site, new_mapping.table, new_mapping.code
        ):
            raise ActRefusedError(
                f"nothing of {new_mapping.site} waits, or waited, for {new_mapping.code!r} in"
                f" {new_mapping.table}: write it as `aegis parked list` does; one that is still to"
                " come is added to sites.yaml, and activated by `aegis study activate`"
            )
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
            Subject(f"{new_mapping.site} {new_mapping.code}"),
            Values(old_meaning, _describe_meaning(new_mapping.table, new_mapping.target)),
            reason=new_mapping.reason,
            acted_at=now_utc(),
        )
        append_activation(conn, act, checked_study, active_study)
    _write_to_own_folder(context, old_text, new_text)
    return act


def _write_to_own_folder(context: StudyContext, old_text: str, new_text: str) -> None:
    """Change ``sites.yaml`` of the study's own folder, where *old_text* stands in it.

    A folder that cannot be written stays as it is: every command says that other files run.
    """
    folder = context.settings.study
    if is_stored_copy(folder, context.settings.data):
        return
    if read_study_files(folder).get(_SITES) == old_text:
        with suppress(OSError):
            replace_private_file(folder / _SITES, new_text)


def retry_with_active_files(context: StudyContext, actor: Actor, site: str) -> RetryResult:
    """Read again what waits at *site*, by the files that run now; *context* may have older ones."""
    with context.db.read() as conn:
        active_study = load_active_study(conn, context.study_id)
    settings = context.settings
    if active_study is not None:
        settings = replace(settings, study=active_study.find_folder(settings.study, settings.data))
    return retry_parked(make_intake(replace(context, settings=settings)), actor.id, site)


def set_mapping(text: str, new_mapping: CodeMapping) -> str:
    """Return ``sites.yaml`` with *new_mapping*, in the place of what the code meant before.

    Raises:
        ActRefusedError: No block of that site is found, or the code means so already.
    """
    if _find_old_meaning(text, new_mapping) == _describe_meaning(
        new_mapping.table, new_mapping.target
    ):
        raise ActRefusedError(f"{new_mapping.code} of {new_mapping.site} means so already")
    for table in _list_places(new_mapping):
        text = remove_entry(text, new_mapping.site, table, new_mapping.code)
    return add_mapping(text, new_mapping)


def _find_old_meaning(text: str, new_mapping: CodeMapping) -> str:
    """Return the meaning of the code in *text*, as an act says it; empty: nothing yet."""
    for table in _list_places(new_mapping):
        meaning = find_meaning(text, new_mapping.site, table, new_mapping.code)
        if meaning is not None:
            return _describe_meaning(table, "" if table == _IGNORED_TABLE else meaning)
    return ""


def _list_places(new_mapping: CodeMapping) -> tuple[str, ...]:
    return (
        (new_mapping.table, _IGNORED_TABLE)
        if new_mapping.table == "codes"
        else (new_mapping.table,)
    )


def _describe_meaning(table: str, target: str) -> str:
    return f"{table}: {target}" if target else "ignored"


def add_mapping(text: str, new_mapping: CodeMapping) -> str:
    r"""Return ``sites.yaml`` with a new *new_mapping* in the block of its site; all else stays.

    >>> new_mapping = CodeMapping("west", "NEUT", "codes", "neutrophils", "as their manual says")
    >>> print(add_mapping("sites:\n  - id: west\n    timezone: UTC\n", new_mapping).rstrip())
    sites:
      - id: west
        codes:
          "NEUT": neutrophils
        timezone: UTC

    Raises:
        ActRefusedError: No block of that site is found.
    """
    head = re.search(
        rf"^( *)- id: *[\"']?{re.escape(new_mapping.site)}[\"']? *(#.*)?$", text, re.MULTILINE
    )
    if head is None:
        raise ActRefusedError(f"no site {new_mapping.site} begins with its id in sites.yaml")
    indent = f"{head[1]}  "
    rest_at = head.end() + 1
    next_site = re.compile(rf"^{head[1]}- ", re.MULTILINE).search(text, rest_at)
    end = next_site.start() if next_site else len(text)
    block, code = text[rest_at:end], json.dumps(new_mapping.code, ensure_ascii=False)
    table: str = new_mapping.table
    if new_mapping.target:
        is_plain = _PLAIN.fullmatch(new_mapping.target)
        target = (
            new_mapping.target if is_plain else json.dumps(new_mapping.target, ensure_ascii=False)
        )
        entry = f"{code}: {target}"
        block_line, flow = f"{indent}  {entry}\n", ("{", "}")
    else:
        table, entry = _IGNORED_TABLE, code
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
