"""``python3 -m deploy.make_secrets [FOLDER]``: the passwords of ``deploy/compose.yaml``, as files.

Each is made once, at random, and is for one user alone (0600): that of the container which reads
it; one that was made otherwise is given to that user. To give a file to another user takes root.
"""

import os
import re
import secrets
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Final

_AEGIS, _POSTGRES, _GRAFANA = 10001, 999, 472  # users of the images

# Each secret, and the user of the container that reads it.
READERS: Final[Mapping[str, int]] = {
    "database_password": _POSTGRES,  # of the superuser: it makes the logins
    "database_owner_password": _AEGIS,
    "database_ingest_password": _AEGIS,
    "database_relay_password": _AEGIS,
    "database_rules_password": _AEGIS,
    "database_alerts_password": _AEGIS,
    "database_console_password": _AEGIS,
    "database_board_password": _AEGIS,
    "database_backup_password": _AEGIS,
    "database_safety_password": _GRAFANA,
    "database_dsmb_password": _GRAFANA,
    "grafana_admin_password": _GRAFANA,  # of the user admin of each Grafana
    "grafana_dsmb_admin_password": _GRAFANA,
}


def main(folder: Path) -> int:
    """Make missing secrets and give each to its reader; return 2 without the right to."""
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    missing_names = [name for name in READERS if not (folder / name).exists()]
    try:
        for name, owner in READERS.items():
            if name in missing_names:
                write_secret(folder / name, owner=owner)
            else:
                os.chown(folder / name, owner, owner)
                (folder / name).chmod(0o600)
    except PermissionError:
        print("make_secrets: only root may give a file to the user of a container", file=sys.stderr)
        return 2
    print(f"{folder}: {len(missing_names)} made, {len(READERS) - len(missing_names)} were there")
    return 0


def write_secret(file: Path, text: str = "", *, owner: int | None = None) -> None:
    """Write *text*, or 192 random bits, to the new *file*, which only *owner* may read.

    Raises:
        FileExistsError: There is one of that name.
        PermissionError: This user may not give it to *owner*; then there is no file.
    """
    handle = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    try:
        if owner is not None:
            os.fchown(handle, owner, owner)
    except PermissionError:
        file.unlink()
        raise
    else:
        os.write(handle, (text or secrets.token_hex(24)).encode())
    finally:
        os.close(handle)


def list_secrets(script: str) -> list[str]:
    r"""Return the files of the folder ``$SECRETS`` that *script* reads.

    >>> list_secrets(r'\set owner `cat "$SECRETS/database_owner_password"`')
    ['database_owner_password']
    """
    return re.findall(r"\$SECRETS/(\w+)", script)


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1] if len(sys.argv) > 1 else Path(__file__).parent / "secrets")))
