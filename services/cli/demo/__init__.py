"""The demo: a synthetic trial through the real ports, compared with its answer key."""
