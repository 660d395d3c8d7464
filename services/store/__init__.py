"""The database: tables, functions that read and write them, the audit trail and the keys."""
