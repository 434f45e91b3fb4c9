"""What a sitter is made of: a person, an expression and a pose.

Sizes and places that carry no other unit are in a sitter's coordinates, which
emotion.sketches.shapes defines.
"""

from dataclasses import dataclass

from emotion.sketches.colours import Colour


@dataclass(frozen=True)
class Hairstyle:
    """How hair lies about a skull.

    Attributes:
        crown: How far it stands off the skull on top.
        sides: How far it stands off the skull at the sides.
        curl: How far its outer edge waves; above 0.03 the hairs curl too.
        hairline: Height of its edge on the forehead.
        sideburn: Height of its lower end in front of the ears.
        parting: Where the hairline is highest, to the left or right of the middle.
        length: Height of its lower end behind the head, 0 if the head hides it.
        bun: Radius of a bun on top, 0 for none.
    """

    crown: float
    sides: float
    curl: float
    hairline: float
    sideburn: float
    parting: float
    length: float
    bun: float = 0.0


@dataclass(frozen=True)
class Expression:
    """Where the movable parts of a face are; as it stands, a relaxed face.

    Attributes:
        inner_brow: How far the brows' inner ends are raised.
        outer_brow: How far the brows' outer ends are raised.
        pinch: How far each brow is drawn towards the other.
        upper_lid: How far the upper lid is open, from the axis of the eye.
        lower_lid: How far the lower lid is open, from the axis of the eye.
        droop: How far the outer ends of the lids hang; negative, the inner ends.
        mouth: Half the width of the mouth.
        corners: How far the corners of the mouth are raised.
        opening: How far the lips are apart.
        squareness: Shape of the opening, from 0, an arc, to 1, nearly square.
        teeth: Share of the opening that the upper teeth fill.
        lips: Factor on the thickness of the lips.
        jaw: How far the chin drops.
        cheeks: How far the cheeks are bunched by a smile, 0 to 1.
        frown: Depth of the upright lines between the brows, 0 to 1.
        forehead: Depth of the lines across the forehead, 0 to 1.
    """

    inner_brow: float = 0.0
    outer_brow: float = 0.0
    pinch: float = 0.0
    upper_lid: float = 0.118
    lower_lid: float = 0.08
    droop: float = 0.0
    mouth: float = 0.37
    corners: float = 0.0
    opening: float = 0.0
    squareness: float = 0.0
    teeth: float = 0.0
    lips: float = 1.0
    jaw: float = 0.0
    cheeks: float = 0.0
    frown: float = 0.0
    forehead: float = 0.0


@dataclass(frozen=True)
class Person:
    """What stays with a person whatever the face does.

    Attributes:
        skin: Colour of the skin.
        hair: Colour of the hair, the brows and the beard.
        style: How the hair lies, None for a bald head.
        clothes: Colour of the clothes.
        stripes: Colour of stripes across the clothes, None for none.
        collar: Whether the clothes have a collar.
        iris: Colour of the irises.
        face: Factors on the width of the jaw and on the length of the chin.
        eye: Factor on the size of the eyes.
        nose: Factor on the width of the nose.
        lips: Factor on the thickness of the lips.
        lipstick: How red the lips are, 0 to 1.
        brow: Factor on the thickness of the brows.
        neck: Factor on the width of the neck.
        age: Depth of the lines, 0 to 1.
        freckles: Opacity, 0 for none.
        beard: Opacity, 0 for none.
        moustache: Opacity, 0 for none.
        glasses: Roundness of the lenses up to 1, a circle; 0 for no glasses.
        beanie: Colour of a knitted hat, None for none.
    """

    skin: Colour
    hair: Colour
    style: Hairstyle | None
    clothes: Colour
    stripes: Colour | None
    collar: bool
    iris: Colour
    face: tuple[float, float]
    eye: float
    nose: float
    lips: float
    lipstick: float
    brow: float
    neck: float
    age: float
    freckles: float
    beard: float
    moustache: float
    glasses: float
    beanie: Colour | None


@dataclass(frozen=True)
class Pose:
    """Where a sitter is and where the light comes from.

    Attributes:
        origin: x and y of the point midway between the eyes, in pixels of the picture.
        unit: Half the width of the face in pixels.
        tilt: How far the head leans, in degrees; positive, anticlockwise in the picture.
        gaze: How far the pupils are off the middle of the eyes, x and y.
        light: Side of the light, from -1, left in the picture, to 1, right.
    """

    origin: tuple[float, float]
    unit: float
    tilt: float
    gaze: tuple[float, float]
    light: float
