"""The fault of a setting in words that say what it may be."""

from pydantic_core import ErrorDetails

_IN_WORDS = {  # by the library's type of the fault
    "bool_parsing": "must be yes or no",
    "float_parsing": "must be a number",
    "finite_number": "must be a number",
    "greater_than": "must be above {gt:.15g}",
    "greater_than_equal": "must be {ge:.15g} or more",
    "int_from_float": "must be a whole number",
    "int_parsing": "must be a whole number",
    "int_parsing_size": "must be a whole number of fewer digits",
    "less_than": "must be below {lt:.15g}",
    "less_than_equal": "must be at most {le:.15g}",
    "literal_error": "must be {expected}",
}


def describe_setting_fault(detail: ErrorDetails) -> str:
    """Return the range or form of a setting, with the value that was refused."""
    words = _IN_WORDS.get(detail["type"])
    if words is None:
        return detail["msg"].removeprefix("Value error, ")
    return f"{words.format(**detail.get('ctx', {}))}, not {detail['input']!r}"
