"""The settings of a machine, with what a command is told instead."""

from argparse import Namespace

from services.runtime.settings import StoreSettings, read_settings


def read_store_settings(args: Namespace) -> StoreSettings:
    """Return the machine's settings, with what the command is told instead."""
    options = {name: getattr(args, name, None) for name in ("data", "study")}
    chosen = {name: value for name, value in options.items() if value is not None}
    return read_settings(StoreSettings, **chosen)
