"""WCAG 2.2, 1.4.3 and 1.4.11: text against its ground at least 4.5, parts of pictures at least 3."""

import itertools
import re

import pytest

from edgeloop.report.page import TEMPLATES

STYLE = (TEMPLATES / "style.css").read_text(encoding="utf-8")
LIGHT, DARK = (
    dict(re.findall(r"--([a-z-]+): (#[0-9a-f]{6});", block))
    for block in re.findall(r":root \{(.*?)\}", STYLE, re.DOTALL)
)
GROUNDS = ("ground", "raised", "good-tint", "bad-tint", "open-tint", "accent-tint", "attention")


def luminance(colour: str) -> float:
    channels = [int(colour[k : k + 2], 16) / 255 for k in (1, 3, 5)]
    linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in channels]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def contrast(one: str, other: str) -> float:
    high, low = sorted((luminance(one), luminance(other)), reverse=True)
    return (high + 0.05) / (low + 0.05)


@pytest.mark.parametrize("scheme", [LIGHT, DARK], ids=["light", "dark"])
def test_text_is_readable_on_every_ground(scheme):
    pairs = itertools.product(("ink", "quiet", "good", "bad", "open"), GROUNDS)
    poor = {(text, ground): contrast(scheme[text], scheme[ground]) for text, ground in pairs}
    assert {pair: ratio for pair, ratio in poor.items() if ratio < 4.5} == {}


@pytest.mark.parametrize("scheme", [LIGHT, DARK], ids=["light", "dark"])
def test_lines_and_bars_stand_out_from_the_ground(scheme):
    parts = ("accent", "second", "third", "good", "bad", "quiet")
    assert min(contrast(scheme[part], scheme["ground"]) for part in parts) >= 3


def test_both_schemes_define_the_same_colours():
    assert LIGHT.keys() == DARK.keys()


def test_every_colour_that_is_used_is_defined():
    used = set(re.findall(r"var\(--([a-z-]+)", STYLE)) - {"sans", "mono", "width", "most"}
    assert used <= LIGHT.keys()
