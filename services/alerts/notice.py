"""A notice: the words and the picture of one alert, addressed to each of its recipients."""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from functools import cached_property

from services.alerts.channel_contract import Letter
from services.alerts.domain.due_notice import Reason
from services.alerts.domain.evidence import NO_EVIDENCE, Evidence
from services.alerts.domain.wording import write_notice
from services.charts.boundary import draw_boundary_chart
from services.store.alerts import DeliveryRow
from services.vocabulary.alert import Alert
from services.vocabulary.decision import Decision

_KEPT_NOTICES = 16


@dataclass(frozen=True)
class Notice:
    """The notice of *alert* as it stands, for all its recipients."""

    alert: Alert
    evidence: Evidence = NO_EVIDENCE

    @cached_property
    def picture(self) -> bytes | None:
        """The boundary chart as PNG, drawn when the first letter needs it; None without a rule."""
        detail = self.alert.detail
        return draw_boundary_chart(detail, "png") if isinstance(detail, Decision) else None

    def address(
        self, row: DeliveryRow, link: str, instant: datetime, earlier_ids: tuple[str, ...] = ()
    ) -> Letter:
        """Return the letter of *row*, in which its recipient finds *link* to acknowledge.

        *earlier_ids* are those of the letters about the alert that went to the recipient before.
        """
        text = write_notice(self.alert, Reason(row.reason), link, self.evidence)
        return Letter(row.id, self.alert, row.reason, text, self.picture, instant, earlier_ids)


@dataclass(slots=True)
class LatestNotices:
    """The notices that were last asked for, so that each of their charts is drawn once."""

    _by_alert: dict[str, Notice] = field(default_factory=dict)

    def find(self, alert: Alert, load_evidence: Callable[[Alert], Evidence]) -> Notice:
        """Return the notice of *alert* as it stands, with its evidence."""
        notice = self._by_alert.pop(alert.id, None)
        if notice is None or notice.alert != alert:
            notice = Notice(alert, load_evidence(alert))
        self._by_alert[alert.id] = notice
        if len(self._by_alert) > _KEPT_NOTICES:
            del self._by_alert[next(iter(self._by_alert))]
        return notice
