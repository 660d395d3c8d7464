"""The last instant at which each participant was observed, also under an identity merged away."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime

from services.vocabulary.standing import ObservedStanding, Standing


def observe_standings(
    standings: Iterable[Standing], last_observations: Mapping[str, datetime], cut_at: datetime
) -> Sequence[ObservedStanding]:
    """Return *standings* under one rule, each with the last observation of the person.

    Args:
        standings: One for each identity, those merged into others too.
        last_observations: By identity, the last instant of any dated fact sent under it.
        cut_at: The data cut: until then somebody is observed of whom nothing is dated, unless
            exposed: then until the exposure.
    """
    standings = list(standings)
    observed_until = dict(last_observations)
    for standing in standings:
        seen_at = last_observations.get(standing.participant)
        if standing.merged_into and seen_at is not None:
            survivor = standing.merged_into
            observed_until[survivor] = max(seen_at, observed_until.get(survivor, seen_at))
    return [
        ObservedStanding(one, observed_until.get(one.participant, one.exposed_at or cut_at))
        for one in standings
    ]
