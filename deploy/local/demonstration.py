"""``python -m deploy.local.demonstration``: the demo on servers of its own, gone after it.

What stands behind it on the command line is for ``aegis demo``.
"""

import os
import subprocess
import sys
import tempfile
from pathlib import Path

from deploy.local.kafka import Kafka
from deploy.local.places import free_port
from deploy.local.postgres import Postgres
from deploy.local.program import ServerError
from deploy.local.workers import AEGIS


def main() -> int:
    """Run the demo and return its exit code; 2 when a server cannot be had."""
    with tempfile.TemporaryDirectory(prefix="aegis-demo-") as temporary:
        folder = Path(temporary)
        folder.chmod(0o755)
        try:
            postgres = Postgres(folder / "postgres", free_port())
            kafka = Kafka(folder / "kafka", free_port(), short_lived=True)
        except ServerError as error:
            print(f"demo: {error}", file=sys.stderr)
            return 2
        try:
            print("starting PostgreSQL and Kafka", file=sys.stderr)
            postgres.start()
            kafka.start()
            environment = {"AEGIS_DATABASE_URL": postgres.url(), "AEGIS_KAFKA": kafka.servers}
            command = [*AEGIS, "demo", "--distributed", *sys.argv[1:]]
            return subprocess.run(
                command, env={**os.environ, **environment}, check=False
            ).returncode
        except ServerError as error:
            print(f"demo: {error}", file=sys.stderr)
            return 2
        finally:
            kafka.erase()
            postgres.erase()


if __name__ == "__main__":
    sys.exit(main())
