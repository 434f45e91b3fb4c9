"""Hair of the head: what hangs behind it, what lies on it, and the single strands of both."""

import numpy as np

from emotion.sketches.colours import shade, tint
from emotion.sketches.easel import Easel
from emotion.sketches.shapes import Points, curve, ellipse, mirrored, moved
from emotion.sketches.traits import Hairstyle, Person

# Hair that curls more than this has curls for strands, too.
_CURLY = 0.03
_GLOSS = curve([(-0.7, -1.05), (-0.3, -1.26), (0.2, -1.28), (0.65, -1.1)])


def paint_back_hair(easel: Easel, person: Person, generator: np.random.Generator) -> None:
    """Paints a bun and what hangs down behind the head; the body and the head go over it."""
    style = person.style
    if style is None:
        return
    if style.bun > 0.0:
        knot = ellipse(0, -1.5, style.bun * 1.15, style.bun)
        easel.fill(knot, person.hair)
        easel.rim(knot, moved(knot, 0, -0.05), shade(person.hair, 0.4), 0.7, 0.08)
    if style.length == 0.0:
        return
    outline = _waved(_curtain(style), style.curl, generator)
    easel.fill(outline, shade(person.hair, 0.7))
    _paint_strands(easel, person, outline, generator, 26)


def paint_front_hair(easel: Easel, person: Person, generator: np.random.Generator) -> None:
    """Paints what lies on the head and frames the face, or the shine of a bald head."""
    style = person.style
    if style is None:
        easel.fill(ellipse(0.1, -1.1, 0.4, 0.12), tint(person.skin, 0.7), 0.3, 0.12)
        return
    outline = _waved(_cap(style), style.curl, generator)
    easel.fill(moved(outline, 0, 0.06), shade(person.skin, 0.35), 0.4, 0.05)
    easel.fill(outline, person.hair, 1.0, 0.008)
    easel.rim(outline, outline * (0.9, 0.95) - (0, 0.02), shade(person.hair, 0.5), 0.6, 0.08)
    _paint_strands(easel, person, outline, generator, 34)
    if style.curl < _CURLY:
        easel.stroke([_GLOSS], tint(person.hair, 0.5), 0.1, 0.3, 0.06, outline)


def _curtain(style: Hairstyle) -> Points:
    """Outlines the hair behind the head, down to its length."""
    wide, end = 1.0 + style.sides, style.length
    return mirrored(
        [
            (0, -1.4 - style.crown),
            (0.7 * wide, -1.2 - style.crown),
            (wide + 0.05, -0.5),
            (wide + 0.08, 0.2),
            (wide + 0.02, end * 0.75),
            (wide * 0.8, end),
            (0, end + 0.05),
        ]
    )


def _cap(style: Hairstyle) -> Points:
    """Outlines the hair on the head, from the left sideburn over the crown and along the brow."""
    wide, crown, line, low = 1.0 + style.sides, style.crown, style.hairline, style.sideburn
    part = style.parting
    # Hair longer than the ears covers them and frames the cheeks.
    foot, cheek = (wide + 0.02, 0.9) if low > 0.3 else (0.99, 0.95)
    outer = [
        (foot, low),
        (wide + 0.03, min(low, 0.2) - 0.1),
        (wide, -0.75),
        (0.68 * wide, -1.22 - crown * 0.8),
    ]
    temple = [(cheek, low - 0.1), (cheek - 0.02, -0.45), (0.74, -0.86)]
    brow = [(part + 0.28, line - 0.06), (part, line - 0.14), (part - 0.28, line + 0.02)]
    left = [(-x, y) for x, y in outer]
    knots = [*left, (0, -1.4 - crown), *outer[::-1], *temple, *brow]
    return curve([*knots, *((-x, y) for x, y in temple[::-1])], closed=True)


def _waved(outline: Points, curl: float, generator: np.random.Generator) -> Points:
    """Waves the outer edge of hair; the edge on the face stays where it is."""
    closed = np.concatenate([outline, outline[:1]])
    outline = np.concatenate([closed[:-1], (closed[:-1] + closed[1:]) / 2], axis=1).reshape(-1, 2)
    reach = np.linalg.norm(outline, axis=1)
    angle = np.arctan2(outline[:, 1], outline[:, 0])
    wave = np.abs(np.sin(angle * 9 + generator.uniform(0, 6)))
    wave += 0.6 * np.abs(np.sin(angle * 17 + generator.uniform(0, 6))) - 0.8
    loose = np.clip((reach - 1.05) * 4, 0.0, 1.0)
    return np.asarray(outline * (1.0 + 1.6 * curl * loose * wave / reach)[:, None])


def _paint_strands(
    easel: Easel, person: Person, outline: Points, generator: np.random.Generator, count: int
) -> None:
    curly = person.style is not None and person.style.curl > _CURLY
    comb = _curls if curly else _straight_strands
    for colour in (shade(person.hair, 0.45), tint(shade(person.hair, 1.15), 0.14)):
        lines = comb(outline, generator, count)
        easel.stroke(lines, colour, 0.022, 0.5, 0.015, within=outline)


def _straight_strands(outline: Points, generator: np.random.Generator, count: int) -> list[Points]:
    top, end = outline[:, 1].min(), outline[:, 1].max()
    strands = []
    for start, bend in generator.uniform((-1.1, -0.1), (1.1, 0.1), (count, 2)):
        root, ear = (start * 0.25, top), (start * 0.8 + bend, top + 0.35)
        strands.append(curve([root, ear, (start * 1.15, top + 1.1), (start * 1.2 + bend, end)]))
    return strands


def _curls(outline: Points, generator: np.random.Generator, count: int) -> list[Points]:
    spots = generator.uniform(outline.min(axis=0), outline.max(axis=0), (5 * count, 2))
    turns = generator.integers(0, 28, 5 * count)
    return [
        np.roll(ellipse(x, y, 0.075, 0.065), int(turn), axis=0)[:19]
        for (x, y), turn in zip(spots, turns, strict=True)
    ]
