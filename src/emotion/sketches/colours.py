"""Colours and what light does to them. A colour is red, green and blue, each 0 to 255."""

Colour = tuple[float, float, float]


def shade(colour: Colour, factor: float) -> Colour:
    """Gives a colour in shadow, or in more light.

    Args:
        colour: RGB, 0 to 255.
        factor: The share of the red that is left; above 1 the colour gets lighter, up to 255.
    """
    # Shadows on skin and hair lose blue first: light that went through them is warm.
    red, green, blue = (
        min(value * factor**power, 255.0)
        for value, power in zip(colour, (1.0, 1.2, 1.32), strict=True)
    )
    return (red, green, blue)


def mix(first: Colour, second: Colour, amount: float) -> Colour:
    """Gives the RGB colour between two, from 0, the first, to 1, the second."""
    red, green, blue = (a + (b - a) * amount for a, b in zip(first, second, strict=True))
    return (red, green, blue)


def tint(colour: Colour, amount: float) -> Colour:
    """Gives an RGB colour under a lamp's reflection, from 0, none, to 1, nothing else."""
    return mix(colour, (255, 246, 232), amount)


def gloss(skin: Colour) -> Colour:
    """Gives the RGB colour of a skin where it shines."""
    red, green, blue = (min(value * 1.3, 255.0) for value in skin)
    return tint((red, green, blue), 0.28)
