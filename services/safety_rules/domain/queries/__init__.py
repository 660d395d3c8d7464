"""Data queries to a site: impossible numbers, facts that contradict each other."""
