"""The intake of a study, for messages and for facts that persons enter."""

from services.acts.study_context import StudyContext
from services.ingest.adapters.code_tables import load_code_tables
from services.ingest.adapters.study_sites import load_sites
from services.ingest.closed_texts import ClosedTexts
from services.ingest.fact_names import FactNames
from services.ingest.intake import Intake
from services.runtime.clock import now_utc
from services.runtime.limit_settings import LimitSettings
from services.runtime.settings import read_settings
from services.safety_rules.adapters.study_rules import StudyRules


def make_intake(context: StudyContext) -> Intake:
    """Return the intake of the study.

    Raises:
        UntrustedFileError: ``sites.yaml`` cannot be trusted.
    """
    tables = load_code_tables()
    sites = load_sites(context.settings.study, tables)
    return Intake(
        context.db,
        context.keys,
        context.study_id,
        sites,
        tables,
        make_fact_names(context.study),
        now_utc,
        by_message=context.settings.clock == "message",
        most_items=read_settings(LimitSettings).message_items,
    )


def make_fact_names(study: StudyRules) -> FactNames:
    """Return the names that facts of *study* may use."""
    rules = study.rules
    texts = ClosedTexts(load_code_tables(), rules.knows_cause_of_death)
    return FactNames(frozenset(rules.measures), rules.list_criteria(), texts)
