"""``python -m deploy.local``: Aegis as many processes on this machine, without containers."""

import argparse
import sys
from pathlib import Path

from deploy.local.installation import Installation
from deploy.local.kafka_jars import jars
from deploy.local.program import ServerError
from deploy.local.workers import ROLES


def main() -> int:
    """Do what the command line says; return 1 when it failed or a part has stopped, else 0."""
    parser = argparse.ArgumentParser(prog="python -m deploy.local", description=__doc__)
    parser.add_argument("--folder", type=Path, default=Path("var/up"), metavar="DIR")
    parser.add_argument("--servers-only", action="store_true", help="no worker of Aegis")
    parser.add_argument("what", choices=("up", "down", "status", "fetch"))
    args = parser.parse_args()
    try:
        if args.what == "fetch":
            print(f"Apache Kafka is in {jars()}")
            return 0
        installation = Installation(args.folder, () if args.servers_only else ROLES)
        return {"up": start_installation, "down": stop_installation, "status": print_status}[
            args.what
        ](installation)
    except ServerError as error:
        print(f"{args.what}: {error}", file=sys.stderr)
        if args.what == "up":
            print("what was started before it runs on: make status, make down", file=sys.stderr)
        return 1


def start_installation(installation: Installation) -> int:
    """Start every part and print its place; return 0."""
    for name, place in installation.start():
        print(f"{name:<10} {place}", flush=True)
    print(f"""
Logs are in {installation.folder}, the database is in {installation.postgres.data}.
Commands find this installation with
  . {installation.folder / "environment"}
  .venv/bin/aegis rules status
`make status` says what runs, `make down` ends it; data stay until they are removed.""")
    return 0


def stop_installation(installation: Installation) -> int:
    """Stop every part; return 1 when one of them did not stop in order."""
    results = list(installation.stop())
    for name, word in results:
        print(f"{name:<10} {word}")
    if not results:
        print("nothing runs")
    return int(any(word != "stopped" for _, word in results))


def print_status(installation: Installation) -> int:
    """Print the state and the place of each part; return 1 only when some run and some do not."""
    parts = list(installation.status())
    for name, pid, place, log in parts:
        state = "stopped" if pid is None else f"process {pid}"
        print(f"{name:<10} {state:<16} {place}  {log}")
    if not parts:
        print("nothing runs, and nothing was ever started here: make up")
    running_pids = [pid for _, pid, _, _ in parts if pid is not None]
    return int(0 < len(running_pids) < len(parts))


if __name__ == "__main__":
    sys.exit(main())
