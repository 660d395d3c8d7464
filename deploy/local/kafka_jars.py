"""The jars of Apache Kafka, fetched once with Maven into a cache."""

import os
import shutil
import tempfile
from hashlib import sha256
from pathlib import Path

from deploy.local.places import program
from deploy.local.program import ServerError, UnavailableError, run_program

POM = Path(__file__).parent.parent / "kafka" / "pom.xml"


def cache() -> Path:
    """Return the folder of what is fetched once: ``AEGIS_CACHE``, else ``~/.cache/aegis``."""
    home = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
    return Path(os.environ.get("AEGIS_CACHE") or home / "aegis")


def jars() -> Path:
    """Return the folder of the jars that ``deploy/kafka/pom.xml`` names.

    Raises:
        UnavailableError: They are not in the cache, and Maven is not there or cannot fetch them.
    """
    content = POM.read_bytes()
    folder = cache() / f"kafka-{sha256(content).hexdigest()[:12]}"
    if not folder.is_dir():
        _fetch(folder)
    return folder


def _fetch(folder: Path) -> None:
    maven = program("mvn", "maven")
    folder.parent.mkdir(parents=True, exist_ok=True)
    # Beside the place, then moved: another process never sees half of them.
    with tempfile.TemporaryDirectory(dir=folder.parent) as temporary:
        command = [maven, "-B", "-q", "-f", str(POM), "dependency:copy-dependencies"]
        options = (f"-DoutputDirectory={temporary}/jars", "-DincludeScope=runtime")
        try:
            run_program([*command, *options])
        except ServerError as error:
            raise UnavailableError(
                f"Apache Kafka cannot be fetched: {str(error)[:1000]}"
            ) from error
        try:
            (Path(temporary) / "jars").rename(folder)
        except OSError:  # another process was first
            if not folder.is_dir():
                raise
            shutil.rmtree(Path(temporary) / "jars")
