"""CRS, ICANS and GVHD, graded from what is charted at the bedside."""
