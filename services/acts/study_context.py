"""The study that acts are about: its rules, its database and its keys."""

from dataclasses import dataclass

from services.runtime.store_settings import StoreSettings
from services.safety_rules.adapters.study_rules import StudyRules
from services.store.session import Database
from services.store.vault import Keys


@dataclass(frozen=True, slots=True)
class StudyContext:
    """A study, its database and its keys."""

    settings: StoreSettings
    study: StudyRules
    db: Database
    keys: Keys

    @property
    def study_id(self) -> str:
        """The study's id."""
        return self.study.rules.protocol.study
