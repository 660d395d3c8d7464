"""The settings of a machine, with what a command is told instead."""

import os
from argparse import Namespace

from services.runtime.similar_variables import PREFIX
from services.runtime.store_settings import STORE_VARIABLES, StoreSettings, read_store_settings


def read_chosen_settings(args: Namespace) -> StoreSettings:
    """Return the machine's settings, with what the command is told instead.

    Raises:
        SettingsError: A value cannot be, or the environment has a variable that no setting reads.
    """
    options = {name: getattr(args, name, None) for name in ("data", "study")}
    require_known_variables()
    return read_store_settings(
        **{name: value for name, value in options.items() if value is not None}
    )


def require_known_variables() -> None:
    """Require that each variable ``AEGIS_...`` of the environment is known.

    Raises:
        SettingsError: One is not.
    """
    variables = {name.upper() for name in os.environ}
    if any(one.startswith(PREFIX) for one in variables - STORE_VARIABLES):
        from services.runtime.settings import check_variables  # noqa: PLC0415 (slow)

        check_variables(os.environ)
