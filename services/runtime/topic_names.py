"""The names of the topics of Aegis."""

import re
from typing import Final

SITE_EVENTS: Final = "aegis.site-events.v1"
FACTS: Final = "aegis.facts.v1"
STANDINGS: Final = "aegis.standings.v1"
ALERTS: Final = "aegis.alerts.v1"
OUTBOX_TOPICS: Final = (FACTS, STANDINGS, ALERTS)


def make_site_topic(study: str, site: str) -> str:
    """Return the name of the topic that *site* alone pushes to.

    >>> make_site_topic("BLINA-HSCT", "north"), make_site_topic("Trial 7", "north")
    ('aegis.blina-hsct.site-events.v1.north', 'aegis.trial-7.site-events.v1.north')
    """
    return f"aegis.{re.sub('[^a-z0-9_-]', '-', study.lower())}.site-events.v1.{site}"
