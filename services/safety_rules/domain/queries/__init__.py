"""Questions to a site: numbers that cannot be, facts that contradict each other."""
