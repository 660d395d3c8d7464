"""The ways to count participants whose follow-up is not over."""

from collections.abc import Mapping

from services.vocabulary.protocol import Policy

POLICIES: Mapping[Policy, str] = {
    "onset_weighted": "follow-up weighted by the onset curve",
    "complete": "complete follow-up only",
    "linear": "follow-up weighted by its length",
    "everyone_treated": "everyone treated",
}
PERSON_TIME: Policy = "person_time"  # no weight: it has boundaries of its own
# The methods of a rule that counts person-time: `PERSON_TIME_FAMILIES`, and a table as it is given.
# Their names stand here too, as a protocol is read without the statistics behind them.
PERSON_TIME_METHODS = (
    "poisson-pocock",
    "poisson-obrien-fleming",
    "poisson-wang-tsiatis",
    "gamma-poisson",
    "poisson-sprt",
    "poisson-maxsprt",
    "poisson-table",
)
NAIVE = (
    "an event at once and a non-event when complete inflates the type I error (.24 to .42 of a "
    "nominal .10): choose one of " + ", ".join(POLICIES)
)
