"""The table of the console's pages: address, area, and who answers a look and a form."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from starlette.responses import Response

from services.console import access
from services.console.pages import (
    account,
    alerts,
    answer_alerts,
    assign,
    audit,
    board,
    change_people,
    clear_parked,
    clocks,
    health,
    judge_records,
    parked,
    parked_message,
    participants,
    people,
    queries,
    records,
    rules,
    sites,
    worklist,
)
from services.console.visit import Visit

Page = Callable[[Visit], Response]


@dataclass(frozen=True, slots=True)
class Place:
    """A page at an address: *show* answers a look, *change* a form; None: none is taken."""

    area: access.Area
    address: str
    show: Page
    change: Page | None = None


PLACES: Final = (
    Place(access.WORKLIST, "/worklist", worklist.show),
    Place(access.PARTICIPANTS, "/participants", participants.show_list),
    Place(access.PARTICIPANTS, "/participants/{participant}", participants.show),
    Place(access.WORKLIST, "/worklist/choose", worklist.show, judge_records.show_confirmation),
    Place(access.WORKLIST, "/worklist/confirm", worklist.show, judge_records.confirm_all),
    Place(access.RECORDS, "/records/{record}", records.show, judge_records.judge),
    Place(access.RECORDS, "/records/{record}/course.svg", records.show_course),
    Place(access.RECORDS, "/records/{record}/owner", records.show, assign.change_owner),
    Place(access.RULES, "/rules", rules.show_list),
    Place(access.RULES, "/rules/{rule}", rules.show),
    Place(access.BOARD, "/board", board.show),
    Place(access.BOARD, "/board/rules/{rule}", board.show_rule, answer_alerts.determine_for_board),
    Place(
        access.BOARD, "/board/alerts/{alert}", board.show_alert, answer_alerts.acknowledge_for_board
    ),
    Place(access.ALERTS, "/alerts", alerts.show_list),
    Place(access.ALERTS, "/alerts/by-id/{alert}", alerts.show, answer_alerts.act_on_alert),
    Place(access.CLOCKS, "/clocks", clocks.show, clocks.close),
    Place(access.RECORDS, "/records/{record}/seriousness", records.show, clocks.decide_seriousness),
    Place(access.QUERIES, "/queries", queries.show),
    Place(access.PARKED, "/parked", parked.show, clear_parked.change),
    Place(access.PARKED, "/parked/items/{item}", parked_message.show, parked_message.reveal),
    Place(
        access.PARKED,
        "/parked/refusals/{refusal}",
        parked_message.show_refused,
        parked_message.reveal_refused,
    ),
    Place(access.SITES, "/sites", sites.show),
    Place(access.PEOPLE, "/people", people.show, change_people.add),
    Place(access.PEOPLE, "/people/{person}", people.show_person, change_people.change),
    Place(access.AUDIT, "/audit", audit.show),
    Place(access.AUDIT, "/audit/acts.csv", audit.export_csv),
    Place(access.AUDIT, "/audit/acts.jsonl", audit.export_json_lines),
    Place(access.HEALTH, "/health", health.show),
    Place(access.ACCOUNT, "/me", account.show, account.end_token),
    Place(access.ACCOUNT, "/me/password", account.show_password, account.change_password),
    Place(
        access.ACCOUNT, "/me/second-factor", account.show_second_factor, account.keep_second_factor
    ),
    Place(access.ACCOUNT, "/me/token", account.show_token, account.make_token),
)
