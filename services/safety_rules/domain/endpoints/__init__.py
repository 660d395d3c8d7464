"""Efficacy and safety endpoints of the trial: curves, landmarks and adverse event tables."""
