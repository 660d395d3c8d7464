"""A Kafka broker of its own: one node in KRaft mode, on the loopback address."""

import secrets
import shutil
from base64 import urlsafe_b64encode
from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Self

from deploy.local.kafka_jars import POM, jars
from deploy.local.places import answers, free_port, program
from deploy.local.program import Program, run_program

_LOG_SETTINGS = POM.parent / "log4j2.properties"


class Kafka:
    """A broker in a folder; topics are made by hand, never by a message."""

    def __init__(
        self,
        folder: Path,
        port: int,
        *,
        short_lived: bool = False,
        settings: Mapping[str, str] = MappingProxyType({}),
    ) -> None:
        """Prepare a broker in *folder* that listens on *port*.

        Args:
            folder: Of the data, the configuration and the log.
            port: Of clients, on the loopback address.
            short_lived: Whether to start soon matters more than to be fast after minutes.
            settings: Of Kafka, by its names, instead of those here: encryption, for example.

        Raises:
            UnavailableError: There is no Java, or the jars cannot be had.
        """
        self.port = port
        self.folder = folder.absolute()
        self._settings = settings
        self._data = self.folder / "data"
        self._properties = self.folder / "server.properties"
        self._controller_port = free_port()
        self._java = [
            program("java", "default-jre-headless"),
            *("-Xms256m", "-Xmx512m", "-XX:+UseSerialGC", "-XX:+ExitOnOutOfMemoryError"),
            *(["-XX:TieredStopAtLevel=1"] if short_lived else []),
            *("-cp", f"{jars()}/*", f"-Dlog4j2.configurationFile={_LOG_SETTINGS}"),
        ]
        command = [*self._java, "kafka.Kafka", str(self._properties)]
        self._program = Program("kafka", command, self.folder)

    @property
    def pid(self) -> int | None:
        """Its process; None when it does not run."""
        return self._program.pid

    @property
    def log(self) -> Path:
        """The file of its output."""
        return self._program.log

    @property
    def servers(self) -> str:
        """Its address for clients, as ``AEGIS_KAFKA`` wants it."""
        return f"127.0.0.1:{self.port}"

    def begin(self) -> None:
        """Let it start; a folder without data gets a cluster of its own. See `start`."""
        if self.pid is not None:
            return
        self.folder.mkdir(parents=True, exist_ok=True)
        self._properties.write_text(self._configuration())
        if not (self._data / "meta.properties").exists():
            self._format()
        self._program.start()

    def start(self) -> Self:
        """Let it serve clients, and return when it does.

        Raises:
            ServerError: It cannot; says where to look.
        """
        self.begin()
        self._program.wait_until(self.is_ready, 90)
        return self

    def is_ready(self) -> bool:
        """Return True when it serves clients: a broker listens once it has joined its cluster."""
        return answers(self.port)

    def stop(self) -> None:
        """End it in good order."""
        self._program.stop(60)

    def kill(self) -> None:
        """Kill it where it stands."""
        self._program.kill()

    def erase(self) -> None:
        """Stop it and remove its data."""
        self.stop()
        shutil.rmtree(self.folder, ignore_errors=True)

    def _format(self) -> None:
        shutil.rmtree(self._data, ignore_errors=True)  # half of it
        cluster = urlsafe_b64encode(b"\x01" + secrets.token_bytes(15)).rstrip(b"=").decode()
        tool = ["kafka.tools.StorageTool", "format", "-t", cluster, "-c", str(self._properties)]
        run_program([*self._java, *tool])

    def _configuration(self) -> str:
        clients, controller = self.servers, f"127.0.0.1:{self._controller_port}"
        one_copy = (
            "offsets.topic.replication.factor",
            "transaction.state.log.replication.factor",
            "transaction.state.log.min.isr",
            "share.coordinator.state.topic.replication.factor",
            "share.coordinator.state.topic.min.isr",
        )
        settings = {
            "process.roles": "broker,controller",
            "node.id": "1",
            "controller.quorum.voters": f"1@{controller}",
            "listeners": f"CLIENTS://{clients},CONTROLLER://{controller}",
            "advertised.listeners": f"CLIENTS://{clients}",
            "listener.security.protocol.map": "CLIENTS:PLAINTEXT,CONTROLLER:PLAINTEXT",
            "inter.broker.listener.name": "CLIENTS",
            "controller.listener.names": "CONTROLLER",
            "log.dirs": str(self._data),
            "auto.create.topics.enable": "false",
            "group.initial.rebalance.delay.ms": "0",
            "broker.heartbeat.interval.ms": "250",
            "broker.session.timeout.ms": "1000",  # a killed broker comes back as soon
            "group.min.session.timeout.ms": "1000",  # a killed worker is replaced as soon
            "offsets.topic.num.partitions": "4",
            "transaction.state.log.num.partitions": "4",
            **dict.fromkeys(one_copy, "1"),
            **self._settings,
        }
        return "".join(f"{name}={value}\n" for name, value in settings.items())
