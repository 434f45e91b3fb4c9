import math

import pytest
from hydra.core.override_parser.overrides_parser import OverridesParser
from hypothesis import given
from hypothesis import strategies as st

from emotion.experiments.overrides import Value, assign, merged

TEXTS = st.text(st.characters(exclude_categories=["Cc", "Cs"]), max_size=20)


PATHS = st.text("/.-_aE01", max_size=8)  # in which there may be a number


@given(st.one_of(TEXTS, PATHS, st.booleans(), st.none(), st.integers(), st.floats(allow_nan=False)))
def test_hydra_reads_back_what_was_spelt(value: Value) -> None:
    (read,) = OverridesParser.create().parse_overrides([assign("data.root", value)])
    assert read.key_or_group == "data.root"
    assert read.value() == value
    assert type(read.value()) is type(value)


@pytest.mark.parametrize(
    ("value", "text"),
    [
        ("outputs/run_1", "a=outputs/run_1"),
        ("/runs/a-1.5/", "a=/runs/a-1.5/"),
        ("it's", "a='it\\'s'"),
        ("C:\\data\\", "a='C:\\data\\\\'"),
        ("null", "a='null'"),
        (None, "a=null"),
        (True, "a=true"),
        (math.inf, "a=inf"),
    ],
)
def test_values_are_spelt_plainly_where_they_can_be(value: Value, text: str) -> None:
    assert assign("a", value) == text


SETTINGS = st.lists(st.builds("{}={}".format, st.sampled_from("abc"), st.integers(0, 3)))


@given(SETTINGS, SETTINGS)
def test_of_settings_with_one_name_the_later_counts(earlier: list[str], later: list[str]) -> None:
    found = dict(item.split("=") for item in merged(earlier, later))
    assert found == dict(item.split("=") for item in earlier + later)


def test_added_and_removed_settings_have_the_same_name() -> None:
    assert merged(["+a=1", "b=2", "~c"], ["a=3", "c=4"]) == ["b=2", "a=3", "c=4"]
