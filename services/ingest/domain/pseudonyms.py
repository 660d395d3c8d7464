"""Pseudonyms: the form that a study gives to the names of its participants.

A pseudonym stands in every record, mail and metric. A name, a number of the hospital or a date of
birth that slips into its column would stand there too.
"""

import re
from dataclasses import dataclass

# Letters and digits, in parts; with a digit, and no number of a hospital or date alone.
DEFAULT_PATTERN = (
    r"(?=.*[0-9])(?!.*[0-9]{7})(?![0-9]+$)(?!(?:19|20)[0-9]{2}[-._][0-9]{1,2}[-._][0-9]{1,2}$)"
    r"(?![0-9]{1,2}[-._][0-9]{1,2}[-._](?:19|20)[0-9]{2}$)[A-Za-z0-9]+(?:[-._][A-Za-z0-9]+){0,5}"
)


@dataclass(frozen=True, slots=True)
class PseudonymForm:
    """The form of pseudonyms: a regular expression that a whole one matches."""

    pattern: str = DEFAULT_PATTERN

    def find_problem(self, pseudonym: str) -> str:
        """Return the problem of *pseudonym*, which it masks, with the remedy; empty: none.

        >>> form = PseudonymForm()
        >>> form.find_problem("P-001"), form.find_problem("01-0042")
        ('', '')
        >>> form.find_problem("Doe, Jane")
        "participant: 'xxx, xxxx' is no pseudonym of this study: write one with a digit and \
without blanks, like P-001, or name their form as pseudonyms in sites.yaml"
        """
        if re.fullmatch(self.pattern, pseudonym):
            return ""
        shape = re.sub("[0-9]", "9", re.sub(r"[^\W\d_]", "x", pseudonym))
        if self.pattern == DEFAULT_PATTERN:
            remedy = (
                "write one with a digit and without blanks, like P-001, or name their form as"
                " pseudonyms in sites.yaml"
            )
        else:
            remedy = f"write one that matches {self.pattern}, the pseudonyms of sites.yaml"
        return f"participant: {shape!r} is no pseudonym of this study: {remedy}"
