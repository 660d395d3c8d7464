"""Colours and words of grades and states: apart without red-green vision, the digit always shown.

"No data" has a colour of its own; nothing is green, so that nothing looks safe for want of data.
"""

from collections.abc import Mapping

from grafana_foundation_sdk.models.dashboard import (
    DashboardRegexMapOptions,
    DashboardSpecialValueMapOptions,
    RegexMap,
    SpecialValueMap,
    SpecialValueMatch,
    ValueMap,
    ValueMapping,
    ValueMappingResult,
)

# Source: ColorBrewer 2.0, BrBG, the brown half, as on the charts of services/charts
GRADES = ("#f7f7f7", "#f6e8c3", "#dfc27d", "#bf812d", "#8c510a", "#543005")
NO_DATA = "#7a86a1"
# Source: Okabe, Ito 2008, Color Universal Design
STOP, LIKELY, CURRENT, PENDING = "#D55E00", "#E69F00", "#0072B2", "#56B4E9"
PLAIN = "#cccccc"
CLEAR = "transparent"


def grades() -> list[ValueMapping]:
    """Return the colour of each grade, exact or an interval (by its lower end), and of none."""
    exact = {
        str(grade): ValueMappingResult(text=str(grade), color=colour, index=grade)
        for grade, colour in enumerate(GRADES)
    }
    intervals: list[ValueMapping] = [
        RegexMap(
            options=DashboardRegexMapOptions(
                pattern=f"^{grade}-[1-5]$",
                result=ValueMappingResult(color=colour, index=10 + grade),
            )
        )
        for grade, colour in enumerate(GRADES)
    ]
    return [ValueMap(options=exact), *intervals, no_data()]


def no_data(text: str = "no data") -> ValueMapping:
    """Return the mapping of an absent value."""
    return SpecialValueMap(
        options=DashboardSpecialValueMapOptions(
            match=SpecialValueMatch.NULL_AND_NAN,
            result=ValueMappingResult(text=text, color=NO_DATA, index=99),
        )
    )


def words(colours: Mapping[str, str]) -> list[ValueMapping]:
    """Return the colour of each word, which stays as it is."""
    return [
        ValueMap(
            options={
                word: ValueMappingResult(text=word, color=colour, index=index)
                for index, (word, colour) in enumerate(colours.items())
            }
        )
    ]


SIGNALS: Mapping[str, str] = {
    "continue": PLAIN,
    "boundary likely": LIKELY,
    "boundary reached: review required": STOP,
}
