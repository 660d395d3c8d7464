"""The token of who is signed in at the command line: a file that its owner alone may read."""

from services.cli.command import CommandError
from services.runtime.store_settings import StoreSettings
from services.store.private_files import is_open_to_others, replace_private_file


def write_token(settings: StoreSettings, secret: str) -> None:
    """Keep *secret*, in place of that of whoever was signed in.

    Raises:
        CommandError: The file cannot be written.
    """
    path = settings.login_token
    try:
        replace_private_file(path, f"{secret}\n")
    except OSError as error:
        raise CommandError(f"{path}: {error.strerror}") from error


def read_token(settings: StoreSettings) -> str:
    """Return the secret of who is signed in; empty: nobody is.

    Raises:
        CommandError: Others can read the file, or nobody can.
    """
    path = settings.login_token
    try:
        if is_open_to_others(path):
            raise CommandError(
                f"others can read {path}, and act with it: `aegis logout`, then `aegis login` again"
            )
        return path.read_text().strip()
    except FileNotFoundError:
        return ""
    except (OSError, UnicodeDecodeError) as error:
        raise CommandError(f"{path} cannot be read: {error}") from error


def delete_token(settings: StoreSettings) -> None:
    """Let nobody be signed in."""
    settings.login_token.unlink(missing_ok=True)
