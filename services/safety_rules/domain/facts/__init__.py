"""Current facts, the participant each belongs to, and the anchors and drugs read from them."""
