"""Reports to people from what is stored: verify, refold, regrade, endpoints."""
