"""Bounds of what one sender may ask of a process: sizes, connections and times."""

from typing import Annotated

from pydantic import Field
from pydantic_settings import BaseSettings, SettingsConfigDict

Count = Annotated[int, Field(ge=1, le=1_000_000)]
Deadline = Annotated[float, Field(gt=0, le=3600)]


class LimitSettings(BaseSettings):
    """The bounds of every door; a sender that passes one is told, and stops nobody else.

    ``AEGIS_MESSAGE_BYTES`` and ``AEGIS_MESSAGE_ITEMS``: the longest message, and the most lines
    that are read of one. ``AEGIS_CONNECTIONS`` and ``AEGIS_CONNECTIONS_PER_ADDRESS``: the most at
    once, on each port. ``AEGIS_FRAME_DEADLINE_S``, ``AEGIS_HEADER_DEADLINE_S`` and
    ``AEGIS_BODY_DEADLINE_S``: the longest time from the first byte to the last.
    """

    model_config = SettingsConfigDict(env_prefix="AEGIS_", frozen=True, extra="forbid")

    message_bytes: Annotated[int, Field(ge=1024, le=1024**3)] = 2 * 1024 * 1024
    message_items: Count = 5_000
    connections: Count = 400
    connections_per_address: Count = 50
    frame_deadline_s: Deadline = 30.0
    header_deadline_s: Deadline = 10.0
    body_deadline_s: Deadline = 60.0

    def share_address(self) -> "LimitSettings":
        """Return the limits of a port on which all connections come from one address: a proxy's."""
        return self.model_copy(update={"connections_per_address": self.connections})
