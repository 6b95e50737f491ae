"""Colours of roads, towns, weather and signs, and how they mix."""

Colour = tuple[int, int, int]

WHITE, BLACK, GREY = (240, 240, 238), (26, 26, 30), (150, 152, 154)
SIGN_BLUE, SIGN_RED, SIGN_YELLOW = (14, 76, 168), (198, 22, 34), (242, 190, 26)
STEEL, WOOD, RUBBER, GLASS = (142, 146, 150), (104, 82, 60), (30, 30, 32), (58, 72, 86)

WALLS = (
    (206, 162, 122), (194, 118, 88), (228, 212, 184), (232, 230, 222), (212, 148, 124), (176, 174, 168),
    (222, 190, 140), (200, 134, 104),
)  # fmt: skip
CARS = (
    (228, 228, 226), (236, 234, 228), (38, 40, 44), (120, 124, 130), (172, 24, 30), (26, 70, 150), (36, 92, 176),
    (190, 176, 150), (92, 100, 84), (208, 60, 30),
)  # fmt: skip
LEAVES = ((62, 98, 46), (78, 112, 54), (54, 86, 50), (96, 118, 62), (70, 104, 60))
LOUD = ((24, 84, 176), (30, 96, 190), (196, 28, 36), (214, 40, 34), (20, 120, 84), (236, 180, 30), (120, 44, 120))
CLOTHES = ((40, 48, 70), (150, 40, 46), (206, 200, 188), (60, 90, 140), (96, 84, 72), (180, 140, 60))


def shaded(colour: Colour, percent: int) -> Colour:
    """Darker below 100 percent, lighter above."""
    return _limited(*(part * percent // 100 for part in colour))


def mixed(colour: Colour, other: Colour, share: int) -> Colour:
    """`share` of 64 parts of `other`."""
    (red, green, blue), (to_red, to_green, to_blue) = colour, other
    return (
        red + ((to_red - red) * share >> 6),
        green + ((to_green - green) * share >> 6),
        blue + ((to_blue - blue) * share >> 6),
    )


def _limited(red: int, green: int, blue: int) -> Colour:
    return min(max(red, 0), 255), min(max(green, 0), 255), min(max(blue, 0), 255)
