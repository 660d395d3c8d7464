"""``aegis demo``: a whole synthetic trial through the real ports, and what came of it."""

import shutil
import time
from argparse import Namespace
from pathlib import Path

from services.cli.command import CommandError
from services.cli.demo import distributed, embedded
from services.cli.demo.mail_sink import MailSink
from services.cli.demo.outcome import Fed, next_steps, show
from services.simulator.trial import simulate_trial, write_trial


def perform(args: Namespace) -> int:
    """Run a synthetic trial, and print what came of it."""
    began_s = time.monotonic()
    try:
        trial = simulate_trial(args.participants, args.seed, args.days)
    except ValueError as error:
        raise CommandError(str(error)) from error
    out: Path = args.data
    if out.exists() and not (out / "trial").is_dir() and any(out.iterdir()):
        raise CommandError(f"{out} holds something else: name another folder with --data")
    if args.distributed:
        distributed.require_servers()
    shutil.rmtree(out, ignore_errors=True)
    write_trial(trial, out / "trial")
    (out / "log").mkdir(parents=True)
    with MailSink(out / "mails") as sink:
        runs = distributed.run if args.distributed else embedded.run
        context, sent, refused = runs(trial, args.study, out, out / "trial", sink)
    ended = show(context, trial, out, sink, Fed(sent, refused, time.monotonic() - began_s))
    is_proven = True
    if args.distributed:
        is_proven = distributed.prove(context, trial, args.study, out)
    else:
        print(next_steps(context, ended, out))
    context.db.close()
    return 0 if ended.is_as_it_should_be and is_proven else 1
