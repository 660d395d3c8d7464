"""Keys of the results of one message: which result a later report is about.

Source: HL7 v2.5.1, 7.4.2.1, 7.4.2.3, 7.4.2.14 (OBX-1, OBX-3, OBX-14)
"""

from collections import Counter

from services.ingest.domain.hl7.message import Segment
from services.ingest.domain.hl7.times import read_local_time
from services.vocabulary.fact import ResultKey

_CODE_PARTS = (0, 1, 3, 4)  # code and text, then those of the alternate code


class ResultNumbering:
    """The numbers of the results in one message: OBX-1, which may be empty or come twice."""

    def __init__(self) -> None:
        """Start before the first OBX."""
        self._counts: Counter[tuple[str, ...]] = Counter()

    def make_key(self, order: Segment | None, obx: Segment) -> ResultKey:
        """Return the key of the result in *obx*, the next one of the message."""
        code, time_text = _find_code(obx), _find_time_text(order, obx)
        filler = order.field(3) if order else ""
        number = obx.text(1).strip() or "-"
        place = (filler, code, obx.field(4), time_text, number)
        self._counts[place] += 1
        count = self._counts[place]
        return ResultKey(
            code,
            number if count == 1 else f"{number}.{count}",
            read_local_time(time_text) if time_text else "",
        )


def _find_code(obx: Segment) -> str:
    """Return the sender's own code, or else its text."""
    parts = obx.components(3)
    return next((code for n in _CODE_PARTS if (code := "".join(parts[n : n + 1]).strip())), "")


def _find_time_text(order: Segment | None, obx: Segment) -> str:
    """Return the text that the result is dated by, empty when that is the header's."""
    text = obx.text(14)
    if text or order is None:
        return text
    return order.text(7) or order.text(22)
