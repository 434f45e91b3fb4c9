"""Fonts: every name can be drawn, as itself or as its class's number, and fits where it must."""

import numpy as np
import pytest

from emotion.inference.drawn.fonts import fitted, font_file, shown_name, text_mask, text_width


@pytest.mark.parametrize("name", ["smile", "Überraschung", "печаль", "λύπη", "happy/sad"])
def test_names_in_scripts_that_a_font_has_stay(name: str) -> None:
    assert shown_name(name, 3) == name
    assert text_mask(name, 20).max() == 255


def test_a_name_that_no_font_has_becomes_the_number_of_its_class() -> None:
    assert shown_name("𓀀𓀁", 4) == "class 4"  # hieroglyphs


def test_a_name_shows_what_is_hidden_in_it() -> None:
    assert shown_name("sad\n", 0) == r"sad\n"


def test_the_usual_letters_need_no_font_but_pillows() -> None:
    assert font_file("surprise 87% ·…") is None


@pytest.mark.parametrize("width", [0, 10, 30, 60, 200])
def test_a_fitted_text_is_no_wider_than_allowed(width: int) -> None:
    text = fitted("surprisingly long name", 12, width)
    assert text == "" or text_width(text, 12) <= width
    assert text == "" or text == "surprisingly long name" or text.endswith("…")


def test_a_mask_is_as_wide_as_its_text_and_trims_to_the_letters() -> None:
    mask, trimmed = text_mask("smile", 20), text_mask("smile", 20, trimmed=True)
    assert mask.shape[1] == text_width("smile", 20)
    assert trimmed.shape[0] < mask.shape[0]
    assert trimmed[0].any()
    assert trimmed[-1].any()
    assert np.isin(trimmed, mask).all()
