"""The descriptors of a process: enough for every connection that its ports may take."""

import resource

from services.cli.command import CommandError
from services.runtime.limit_settings import LimitSettings

_RESERVED_COUNT = 128  # database, Kafka, mails, files


def require_descriptors(limits: LimitSettings, port_count: int) -> None:
    """Require descriptors for the connections of *port_count* ports; raise the limit if need be.

    Without them a port could take no connection, and the database no file.

    Raises:
        CommandError: The system allows fewer; names the settings.
    """
    soft_limit, hard_limit = resource.getrlimit(resource.RLIMIT_NOFILE)
    needed_count = port_count * limits.connections + _RESERVED_COUNT
    if soft_limit == resource.RLIM_INFINITY or soft_limit >= needed_count:
        return
    if hard_limit != resource.RLIM_INFINITY and hard_limit < needed_count:
        largest_count = max(0, hard_limit - _RESERVED_COUNT) // port_count
        raise CommandError(
            f"{port_count} ports with {limits.connections} connections each need {needed_count}"
            f" open files, and the system allows {hard_limit} (ulimit -n): raise that, or set"
            f" AEGIS_CONNECTIONS to {largest_count} at most"
        )
    resource.setrlimit(resource.RLIMIT_NOFILE, (needed_count, hard_limit))
