"""``aegis demo``: a whole synthetic trial through the real ports, and what came of it."""

import os
import shutil
import time
from argparse import Namespace
from pathlib import Path

from services.cli.command import CommandError
from services.cli.demo import distributed, embedded
from services.cli.demo.demo_people import describe_sign_in
from services.cli.demo.mail_sink import MailSink
from services.cli.demo.outcome import FeedResult, list_next_steps, show_outcome
from services.runtime.sites_file import read_sites_file
from services.simulator.trial import simulate_trial, write_trial

_UMASK = 0o077  # what it writes is its owner's alone, as the data of a trial are


def perform(args: Namespace) -> int:
    """Run a synthetic trial, and print what came of it."""
    earlier_umask = os.umask(_UMASK)
    try:
        return _run_trial(args)
    finally:
        os.umask(earlier_umask)


def _run_trial(args: Namespace) -> int:
    began_s = time.monotonic()
    try:
        trial = simulate_trial(args.participants, args.seed, args.days)
    except ValueError as error:
        raise CommandError(str(error)) from error
    _require_unbound_sites(args.study)
    folder: Path = args.data
    if folder.exists() and not (folder / "trial").is_dir() and any(folder.iterdir()):
        raise CommandError(f"{folder} holds something else: name another folder with --data")
    if args.distributed:
        distributed.require_servers()
    shutil.rmtree(folder, ignore_errors=True)
    write_trial(trial, folder / "trial")
    (folder / "log").mkdir(parents=True)
    with MailSink(folder / "mails") as sink:
        run = distributed.run if args.distributed else embedded.run
        context, sent_count, refused_count = run(trial, args.study, folder, folder / "trial", sink)
    feed = FeedResult(sent_count, refused_count, time.monotonic() - began_s)
    outcome = show_outcome(context, trial, folder, sink, feed)
    print(describe_sign_in(folder))
    is_proven = True
    if args.distributed:
        is_proven = distributed.prove(context, trial, args.study, folder)
    else:
        print(list_next_steps(context, outcome, folder))
    context.db.close()
    return 0 if outcome.matches_key and is_proven else 1


def _require_unbound_sites(study: Path) -> None:
    """Require that anybody may speak for the sites of *study*.

    Raises:
        CommandError: Some name addresses or certificates, which the demo cannot have.
    """
    _, sites = read_sites_file(study)
    if bound_sites := [site.id for site in sites if site.addresses or site.certificates]:
        raise CommandError(
            f"{study}: {', '.join(bound_sites)} may be spoken for from certain addresses or with a"
            " certificate only, and the demo speaks for every site from this machine: leave these"
            " out in a copy of the study"
        )
