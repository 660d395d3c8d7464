"""Keys of the results of one message: which result a later report is about.

Source: HL7 v2.5.1, 7.4.2.1, 7.4.2.3, 7.4.2.14 (OBX-1, OBX-3, OBX-14)
"""

from services.ingest.domain.hl7.message import Segment
from services.ingest.domain.hl7.times import read_local_time
from services.vocabulary.fact import ResultKey


class ResultNumbering:
    """The numbers of the results in one message: OBX-1, which may be empty or come twice."""

    def __init__(self) -> None:
        """Start before the first OBX."""
        self._counts: dict[tuple[str, ...], int] = {}

    def make_key(self, code: str, filler: str, time_text: str, obx: Segment) -> ResultKey:
        """Return the key of the result in *obx*, the next one of the message.

        Args:
            code: The sender's own.
            filler: Number of its order (OBR-3).
            time_text: As sent, of the time that dates it; empty: that of the header.
            obx: Its segment.
        """
        number = obx.field(1)
        if not number.isdecimal():
            number = obx.text(1).strip() or "-"
        place = (filler, code, obx.field(4), time_text, number)
        count = self._counts[place] = self._counts.get(place, 0) + 1
        return ResultKey(
            code,
            number if count == 1 else f"{number}.{count}",
            read_local_time(time_text) if time_text else "",
        )
