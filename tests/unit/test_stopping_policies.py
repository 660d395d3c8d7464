"""Names of stopping methods that a protocol is read by, beside the methods themselves."""

from services.safety_rules.domain.stopping.person_time_design import TABLE
from services.safety_rules.domain.stopping.person_time_families import PERSON_TIME_FAMILIES
from services.safety_rules.domain.stopping.policies import PERSON_TIME_METHODS


def test_every_method_of_person_time_has_its_name_in_protocols():
    assert (*PERSON_TIME_FAMILIES, TABLE) == PERSON_TIME_METHODS
