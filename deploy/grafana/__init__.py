"""Dashboards of Grafana as code; `make grafana` writes them."""
