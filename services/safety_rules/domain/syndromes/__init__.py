"""CRS, ICANS and GVHD, graded from the facts charted at the bedside."""
