"""Recommendations for the infusion of the study drug, and deviations from the protocol."""
