"""The standing of a participant under each stopping rule."""
