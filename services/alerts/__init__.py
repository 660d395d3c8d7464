"""Notices of alerts to people, by mail and webhook, until somebody has seen them."""
