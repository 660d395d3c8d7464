"""The rules, as a part of a process that does everything: the journal itself wakes them."""

from services.cli.process.process_server import make_holder_name
from services.cli.process.roles.parts import Parts
from services.cli.process.roles.sealer import add_sealer
from services.runtime.clock import now_utc
from services.safety_rules.application.cache import MB, Cache
from services.safety_rules.application.decide_study import StudyDecisions
from services.safety_rules.application.fold_participants import FoldResult
from services.safety_rules.application.step_metrics import (
    count_cache_uses,
    count_decisions,
    count_fold,
    show_cache_size,
)
from services.safety_rules.workers.journal_worker import JournalWorker


def add_journal_worker(parts: Parts) -> None:
    """Let the journal itself wake the rules."""

    def count(folded: FoldResult, decided: StudyDecisions) -> None:
        count_fold(parts.metrics, folded, parts.read_clock())
        count_decisions(parts.metrics, decided, parts.read_clock())
        count_cache_uses(parts.metrics, rules.cache)

    rules = JournalWorker(
        parts.context.db,
        parts.context.study.rules,
        make_holder_name(),
        now_utc,
        by_message=parts.by_message,
        on_step=count,
        progress=parts.add_progress("rules"),
        turn=parts.settings.rules_turn,
        cache=Cache(parts.settings.rules.rules_cache_mb * MB),
    )
    parts.work["rules"] = rules.run
    parts.shows.append(lambda _conn: show_cache_size(parts.metrics, rules.cache))
    add_sealer(parts)
