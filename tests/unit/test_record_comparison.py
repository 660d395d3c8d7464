"""Records under two tables of criteria, side by side."""

import pytest

from services.safety_rules.domain.comparison.record_comparison import compare_records
from services.vocabulary.episode import EpisodeState
from tests.helpers.dosing_course import format_hour, record

OLD_CRITERION, NEW_CRITERION = (
    "ctcae-5.0.neutrophil-count-decreased",
    "ctcae-6.0.neutrophil-count-decreased",
)
SAME_CRITERIA = {OLD_CRITERION: NEW_CRITERION}


def records(criterion, script):
    """``3@24 1@48 -@60; 2@90``: two records."""
    return [make_record(criterion, part) for part in script.split("; ") if part]


def make_record(criterion, script):
    possible = script.startswith("?")
    content = record(
        OLD_CRITERION, script.removeprefix("?"), possible=possible, state=EpisodeState.SUSPECTED
    )
    return type(content)(
        **{name: getattr(content, name) for name in content.__slots__} | {"criterion": criterion}
    )


# records before; after; and what would become of each
TABLE = {
    "the same": ("3@24 -@48", "3@24 -@48", "24: the same"),
    "a grade more": ("3@24 -@48", "4@24 -@48", "24: stricter"),
    "a grade less": ("4@24 -@48", "3@24 -@48", "24: looser"),
    "the worst is the same, one step is not": (
        "3@24 2@30 -@48",
        "3@24 1@30 -@48",
        "24: same worst grade, other times",
    ),
    "it begins later": ("1@24 3@30 -@48", "3@30 -@48", "24: same worst grade, other times"),
    "it may be more": ("2@24 -@48", "2-3@24 -@48", "24: stricter"),
    "it may be less": ("2@24 -@48", "1-2@24 -@48", "24: looser"),
    "its lower end rises": ("1-3@24 -@48", "2-3@24 -@48", "24: stricter"),
    "its upper end falls": ("1-3@24 -@48", "1-2@24 -@48", "24: looser"),
    "less is certain": ("2@24 -@48", "1-3@24 -@48", "24: less certain"),
    "more is certain": ("1-3@24 -@48", "2@24 -@48", "24: more certain"),
    "no record any longer": ("1@24 -@48", "", "24: looser: no record any longer"),
    "a new record": ("", "1@24 -@48", "24: stricter: a new record"),
    "a possible record": ("", "?0-1@24 -@48", "24: a possible record"),
    "no longer only possible": ("?1-1@24 -@48", "1@24 -@48", "24: same worst grade, other times"),
    "one becomes two": (
        "2@24 -@96",
        "2@24 -@36; 2@48 -@96",
        "24: same worst grade, other times; 24: stricter: a new record",
    ),
    "one that begins as the other ends": (
        "2@24 -@48",
        "2@48 -@60",
        "24: looser: no record any longer; 48: stricter: a new record",
    ),
    "two that lie apart": (
        "2@24 -@36",
        "2@48 -@60",
        "24: looser: no record any longer; 48: stricter: a new record",
    ),
}


@pytest.mark.parametrize(("before_script", "after_script", "expected"), TABLE.values(), ids=TABLE)
def test_what_would_become_of_a_record(before_script, after_script, expected):
    comparisons = compare_records(
        records(OLD_CRITERION, before_script), records(NEW_CRITERION, after_script), SAME_CRITERIA
    )
    assert (
        "; ".join(f"{format_hour(one.record.onset_at)}: {one.difference}" for one in comparisons)
        == expected
    )
    assert [one.is_changed for one in comparisons] == [
        one.difference != "the same" for one in comparisons
    ]


def test_what_has_another_name_is_another_record_unless_they_are_known_to_be_the_same():
    old_records, new_records = (
        records(OLD_CRITERION, "2@24 -@36"),
        records(NEW_CRITERION, "2@24 -@36"),
    )
    assert [str(one.difference) for one in compare_records(old_records, new_records, {})] == [
        "looser: no record any longer",
        "stricter: a new record",
    ]
