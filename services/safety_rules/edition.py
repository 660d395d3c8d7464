"""The edition of the rules that are code: one number, raised by hand.

It is part of every record's ``rules_version``, beside the meaning of criteria and protocol, which
count by themselves. Raise it by one when the code makes another record, version, standing,
decision, advice or data query of the same facts, criteria and protocol; the same goes for the
kinds, ions and settings of ``measures.csv``, and for ``drug_classes.csv``. What older editions
wrote is then marked as of other rules, until `aegis refold` grades it anew. A rename, a comment, a
faster way to the same result or another layout of a file is no new edition.

With it change, in one commit:

1. ``CHANGELOG.md``, *Rule changes*: a paragraph that begins with ``Edition N`` and says what is
   graded otherwise, old -> new, stricter or looser, with its source;
2. ``tests/golden``, by ``make golden``: what the fixed trials there come to, and lines in ``lock``.

``tests/replay`` fails until all three agree. Source: docs/adr/0010-edition-of-the-rules.md
"""

from typing import Final

EDITION: Final = 4
