"""Documents that others receive: what a protocol's authors hand in about its stopping rules."""
