"""The criteria of graft-versus-host disease."""

ACUTE_GVHD, CHRONIC_GVHD = "magic-2016.acute-gvhd", "nih-2014.chronic-gvhd"
# The graft causes these, not the study drug: no record of them is before exposure.
CAUSED_BY_GRAFT = frozenset({ACUTE_GVHD, CHRONIC_GVHD})
