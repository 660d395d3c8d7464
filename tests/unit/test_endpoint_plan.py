"""The ``endpoints`` part of a protocol file."""

import shutil
from pathlib import Path

import pytest

from services.runtime.file_error import UntrustedFileError
from services.safety_rules.adapters.protocol_files import load_study
from services.vocabulary.protocol import EndpointPlan

STUDY = Path(__file__).parents[2] / "studies" / "blina-hsct"


def change_file(folder, original, replacement):
    """The study, with its protocol changed."""
    shutil.copytree(STUDY, folder / "study")
    file = folder / "study" / "protocol.yaml"
    text = file.read_text()
    assert original in text
    file.write_text(text.replace(original, replacement))
    return folder / "study"


def test_the_trial_reads_its_endpoints_at_day_100_half_a_year_and_two_years():
    plan = load_study(STUDY).protocol.endpoints
    assert plan == EndpointPlan((100, 183, 730), "non-hematologic", "day-100")


FAULTS = [
    ("landmarks: [100, 183, 730]", "landmarks: [183, 100]", "landmarks must increase"),
    ("landmarks: [100, 183, 730]", "landmarks: []", "endpoints.landmarks"),
    ("landmarks: [100, 183, 730]", "landmarks: [0]", "endpoints.landmarks.1"),
    ("term_set: non-hematologic, window: day-100", "term_set: x, window: day-100", "'x' is not in"),
    (
        "term_set: non-hematologic, window: day-100",
        "term_set: non-hematologic, window: day-90",
        "'day-90' is not in windows",
    ),
]


@pytest.mark.parametrize(("original", "replacement", "problem"), FAULTS)
def test_what_cannot_be_meant_is_refused(tmp_path, original, replacement, problem):
    with pytest.raises(UntrustedFileError, match=problem):
        load_study(change_file(tmp_path, original, replacement))
