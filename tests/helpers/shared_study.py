"""The rules of the study, loaded once and shared by all workers of a test run."""

from functools import cache
from pathlib import Path

import matplotlib.backends.backend_agg
import matplotlib.figure  # noqa: F401 (charts want it later)
from matplotlib import font_manager  # noqa: F401 (its list of fonts takes a second)

from services.safety_rules.adapters.study_rules import load_rules

STUDY = Path(__file__).parents[2] / "studies" / "blina-hsct"

load = cache(load_rules)
load(STUDY)
