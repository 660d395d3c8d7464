"""``aegis demo``: a whole synthetic trial through the real ports, and what came of it."""

import shutil
import time
from argparse import Namespace
from pathlib import Path

from services.cli.command import CommandError
from services.cli.demo import distributed, embedded
from services.cli.demo.mail_sink import MailSink
from services.cli.demo.outcome import FeedResult, list_next_steps, show_outcome
from services.simulator.trial import simulate_trial, write_trial


def perform(args: Namespace) -> int:
    """Run a synthetic trial, and print what came of it."""
    began_s = time.monotonic()
    try:
        trial = simulate_trial(args.participants, args.seed, args.days)
    except ValueError as error:
        raise CommandError(str(error)) from error
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
    is_proven = True
    if args.distributed:
        is_proven = distributed.prove(context, trial, args.study, folder)
    else:
        print(list_next_steps(context, outcome, folder))
    context.db.close()
    return 0 if outcome.matches_key and is_proven else 1
