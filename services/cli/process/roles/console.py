"""The console, as a part of a process: pages for persons, on the port of pages."""

import threading

from services.cli.process.roles.parts import Parts
from services.console.application import make_routes
from services.console.sessions import BrowserSessions
from services.console.visit import ConsoleContext
from services.runtime.clock import now_utc
from services.store.board import BoardReader, open_board
from services.store.roles import name_role
from services.store.session import Database, DatabaseError


def add_console(parts: Parts) -> None:
    """Let persons sign in, and see and do what their roles allow."""
    context = parts.context
    sessions = BrowserSessions(
        context.db, context.keys, parts.settings.people, now_utc, parts.server.url
    )
    board, board_db = _open_board(parts)
    console = ConsoleContext(context, now_utc, sessions, board, parts.warnings.list_problems)
    parts.routes += make_routes(console)

    def keep_records(stop: threading.Event) -> None:
        with context.db.read() as conn:  # so that the first look does not wait for it
            console.records.load(conn)
        stop.wait()
        if board_db is not None:
            board_db.close()

    parts.work["console"] = keep_records


def _open_board(parts: Parts) -> tuple[BoardReader, Database | None]:
    """Return the reader of the DSMB's views, and the database that is open for it alone, if any."""
    context, settings = parts.context, parts.settings.console
    if context.db.is_sqlite:
        return open_board(context.db, context.study_id), None
    role = "" if settings.board_database else name_role("board")
    db = Database.open(settings.board_database or context.settings.database, role)
    board = open_board(db, context.study_id)
    try:
        board.load_alerts()
    except DatabaseError:
        parts.warnings.begin(
            "board_unreadable",
            "the pages of the DSMB cannot be read: name the login aegis_board in"
            " AEGIS_BOARD_DATABASE_URL (deploy/postgres/logins.sql)",
        )
    return board, db
