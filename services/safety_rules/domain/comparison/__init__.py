"""Comparisons of records under two versions of the criteria, and of one site with the others."""
