"""Who sits: skins, hair, clothes, and people made of them at random."""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from emotion.sketches.colours import Colour
from emotion.sketches.traits import Hairstyle, Person

# Light to dark, after the Monk skin tone scale but as warm as skin is under a lamp.
_SKINS: tuple[Colour, ...] = (
    (244, 206, 184),
    (238, 196, 168),
    (234, 188, 150),
    (216, 170, 132),
    (200, 150, 112),
    (176, 128, 92),
    (148, 102, 72),
    (120, 80, 57),
    (98, 64, 45),
    (80, 52, 37),
)
# Dark ones first, grey and white last: who is dark-skinned or old has these.
_HAIRS: tuple[Colour, ...] = (
    (28, 24, 24),
    (46, 33, 27),
    (78, 52, 36),
    (112, 76, 46),
    (150, 104, 60),
    (196, 158, 100),
    (150, 66, 34),
    (150, 148, 146),
    (206, 202, 196),
)
_CLOTHES: tuple[Colour, ...] = (
    (52, 66, 96),
    (150, 54, 52),
    (64, 98, 74),
    (214, 206, 192),
    (58, 58, 62),
    (196, 150, 72),
    (108, 134, 164),
    (122, 84, 120),
    (226, 228, 232),
)
_IRISES: tuple[Colour, ...] = ((62, 40, 26), (86, 58, 34), (98, 104, 66), (84, 116, 140))
# Bald (None), shaven, side parting, fringe, curls, bob, long, long curls, afro, receding, bun:
# crown, sides, curl, hairline, sideburn, parting, length and bun.
_HAIRSTYLES: tuple[Hairstyle | None, ...] = (
    None,
    Hairstyle(0.05, 0.02, 0.0, -0.97, -0.25, 0.0, 0.0),
    Hairstyle(0.20, 0.06, 0.01, -0.98, -0.10, 0.4, 0.0),
    Hairstyle(0.26, 0.08, 0.01, -0.84, -0.15, -0.3, 0.0),
    Hairstyle(0.24, 0.14, 0.05, -0.90, -0.15, 0.1, 0.0),
    Hairstyle(0.16, 0.14, 0.01, -0.88, 1.12, 0.3, 1.25),
    Hairstyle(0.18, 0.14, 0.01, -1.02, 2.1, 0.0, 2.5),
    Hairstyle(0.20, 0.22, 0.05, -0.94, 1.8, -0.3, 2.3),
    Hairstyle(0.40, 0.34, 0.06, -0.92, -0.05, 0.0, 0.35),
    Hairstyle(0.08, 0.04, 0.0, -1.14, -0.10, 0.0, 0.0),
    Hairstyle(0.10, 0.03, 0.0, -1.02, -0.05, 0.0, 0.0, 0.34),
)


def cast_person(generator: np.random.Generator) -> Person:
    """Draws a person at random, every skin tone as likely as every other."""
    # The order of the draws, the arguments' below as well, is part of what a seed stands for.
    chance = generator.uniform
    tone = int(generator.integers(len(_SKINS)))
    dark, age = tone >= 5, float(chance())
    hair = _pick(generator, _HAIRS[:3] if dark else _HAIRS[:-2])
    if age > 0.85:
        hair = _HAIRS[-int(generator.integers(1, 3))]
    beanie = _pick(generator, _CLOTHES) if chance() < 0.07 else None
    style = _HAIRSTYLES[generator.integers(len(_HAIRSTYLES))]
    if beanie is not None and style is not None:
        style = replace(style, crown=0.0, sides=min(style.sides, 0.06), bun=0.0)
    bearded = (style is None or max(style.length, style.bun * 3) < 1.0) and chance() < 0.4
    return Person(
        skin=_varied(generator, _SKINS[tone], 0.05),
        hair=_varied(generator, hair, 0.15),
        style=style,
        clothes=_varied(generator, _pick(generator, _CLOTHES), 0.15),
        stripes=_pick(generator, _CLOTHES) if chance() < 0.2 else None,
        collar=bool(chance() < 0.3),
        iris=_pick(generator, _IRISES[:2] if dark else _IRISES),
        face=(chance(0.90, 1.08), chance(0.95, 1.06)),
        eye=chance(0.92, 1.1),
        nose=chance(0.88, 1.15) * (1.1 if dark else 1.0),
        lips=chance(0.8, 1.2) * (1.15 if dark else 1.0),
        lipstick=chance(0.28, 0.55),
        brow=chance(0.75, 1.25),
        neck=chance(0.78, 0.9) if style is not None and style.length > 1.0 else chance(0.85, 1.0),
        age=age,
        freckles=chance(0.2, 0.45) if tone < 4 and chance() < 0.2 else 0.0,
        beard=chance(0.35, 0.85) if bearded else 0.0,
        moustache=chance(0.4, 0.9) if bearded and chance() < 0.8 else 0.0,
        glasses=chance(0.3, 1.0) if chance() < 0.2 else 0.0,
        beanie=beanie,
    )


def _pick(generator: np.random.Generator, colours: Sequence[Colour]) -> Colour:
    return colours[int(generator.integers(len(colours)))]


def _varied(generator: np.random.Generator, colour: Colour, spread: float) -> Colour:
    """Varies a colour by a share of itself, the lightness more than the hue."""
    factors = generator.uniform(1 - spread, 1 + spread) * generator.uniform(0.98, 1.02, 3)
    red, green, blue = np.clip(np.array(colour) * factors, 0, 255)
    return (float(red), float(green), float(blue))
