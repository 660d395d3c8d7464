"""Readers of the files that ingest needs: shipped code tables and a study's ``sites.yaml``."""
