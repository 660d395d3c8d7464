"""``aegis study``: the files by which the study runs, activated by a person."""

from argparse import Namespace
from collections.abc import Mapping
from dataclasses import asdict

from services.cli.command import CommandError
from services.cli.shared.active_folder import find_active_study
from services.cli.shared.columns import ACTIVATIONS
from services.cli.shared.json_lines import print_json_lines
from services.cli.shared.stored_data import StoredData, open_stored_data
from services.cli.shared.tables import format_utc, make_explained_table
from services.store import acts, study_files
from services.store.acts import ActFilter
from services.store.study_files import StudyActivation
from services.vocabulary.act import Act, ActKind
from services.vocabulary.printable_text import escape_lines

_KINDS = (
    ActKind.ACTIVATE_STUDY,
    ActKind.SIGN_PROTOCOL,
    ActKind.MAP_CODE,
    ActKind.IGNORE_CODE,
)  # that change what a study runs by


def perform(args: Namespace) -> int:
    """Activate the files of a folder, compare them, sign the protocol, or list what ran."""
    if args.word == "list":
        return _list(args)
    if args.word == "diff":
        return _diff(args)
    from services.cli.shared import study_changes  # noqa: PLC0415 (it loads the rules)

    is_activation = args.word == "activate"
    return (study_changes.activate if is_activation else study_changes.sign)(args)


def _diff(args: Namespace) -> int:
    """Print the lines that differ; the code is 1 if there are any, as that of ``diff``."""
    from services.acts.study_files import diff_files, read_study_files  # noqa: PLC0415 (as above)

    data = open_stored_data(args)
    if not args.folder.is_dir():
        raise CommandError(f"{args.folder} is no folder")
    active_study = find_active_study(data.settings, data.db)
    contents = active_study.contents if active_study else {}
    lines = diff_files(contents, read_study_files(args.folder))
    print(escape_lines("\n".join(lines)) if lines else f"{args.folder} is what runs")
    return int(bool(lines))


def _list(args: Namespace) -> int:
    data = open_stored_data(args)
    activations = _load_activations(data)
    if args.json:
        print_json_lines(
            asdict(activation)
            | {"person": act.actor.id, "name": act.actor.name, "reason": act.reason}
            for activation, act in activations
        )
        return 0
    rows = [
        (
            format_utc(activation.activated_at),
            act.actor.name,
            act.new_value,
            activation.rules_version,
            act.reason,
        )
        for activation, act in activations
    ]
    print(make_explained_table(ACTIVATIONS, rows) if rows else "nothing was activated yet")
    return 0


def _load_activations(data: StoredData) -> list[tuple[StudyActivation, Act]]:
    with data.db.read() as conn:
        activations = study_files.load_activations(conn, data.study_id)
        found_acts = acts.load_acts(conn, ActFilter(kinds=_KINDS))
    act_of: Mapping[str, Act] = {act.id: act for act in found_acts}
    return [(activation, act_of[activation.act]) for activation in activations]
