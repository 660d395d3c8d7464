"""Alerts that records, decisions and recommendations call for, and how stored alerts change."""
