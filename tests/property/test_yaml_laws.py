"""Values written as YAML are read back, and the standard reader reads the same."""

import yaml
from hypothesis import example, given
from hypothesis import strategies as st

from services.runtime.file_error import UntrustedFileError
from services.runtime.strict_yaml import read_yaml

LOADERS = (
    (yaml.CBaseLoader, yaml.CSafeLoader)
    if yaml.__with_libyaml__
    else (yaml.BaseLoader, yaml.SafeLoader)
)
TEXT = st.text(st.characters(exclude_categories=("Cs",)), max_size=12)
SCALARS = st.one_of(
    TEXT,
    st.booleans(),
    st.none(),
    st.integers(-(10**17), 10**17),
    st.floats(allow_nan=False, allow_infinity=False, min_value=-1e15, max_value=1e15),
)
VALUES = st.recursive(
    SCALARS,
    lambda inner: st.lists(inner, max_size=4).map(tuple) | st.dictionaries(TEXT, inner, max_size=4),
    max_leaves=20,
)
WORDS = st.text(st.sampled_from("01789_.:eE+-xobinfatrueysNO~=<[]{}, \n#'\"&*!|>?"), max_size=12)


class QuotedDumper(yaml.SafeDumper):
    """Writes text in quotes, lists of any kind as lists, and every value in full."""

    def ignore_aliases(self, _data):
        return True


QuotedDumper.add_representer(
    str, lambda dumper, text: dumper.represent_scalar("tag:yaml.org,2002:str", text, style='"')
)
QuotedDumper.add_representer(
    tuple, lambda dumper, items: dumper.represent_sequence("tag:yaml.org,2002:seq", items)
)


@given(VALUES)
def test_plain_values_are_read_back_as_they_were_written(value):
    text = yaml.dump(value, Dumper=QuotedDumper, allow_unicode=True)
    assert read_yaml(text, "a.yaml").value == value


@given(WORDS)
@example("1_0")
@example("a: 2026-01-31")
@example("1.5e+3")
def test_a_file_that_is_read_is_read_alike_by_the_standard_reader(text):
    try:
        value = read_yaml(text, "a.yaml").value
    except UntrustedFileError:
        return
    text_loader, safe_loader = LOADERS
    as_written = yaml.load(text, Loader=text_loader)  # noqa: S506 (it makes only text)
    assert value == plain(as_written, yaml.load(text, Loader=safe_loader))  # noqa: S506 (safe)


def plain(raw_value, value):
    """*value* with keys and dates as they stand in *raw_value*, and tuples for lists."""
    if isinstance(value, dict):
        return {
            key: plain(inner, of_value)
            for (key, inner), of_value in zip(raw_value.items(), value.values(), strict=True)
        }
    if isinstance(value, list):
        return tuple(plain(*pair) for pair in zip(raw_value, value, strict=True))
    return value if value is None or isinstance(value, bool | int | float | str) else raw_value
