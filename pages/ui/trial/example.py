"""Ten simple characters in a few hands, so that the sheet says something before anybody draws."""

from pages.ui.sheet import Load, Strokes

Shape = tuple[tuple[tuple[int, int], ...], ...]
SHAPES: dict[str, Shape] = {  # strokes on a pad of 1000 by 1000
    "gate": (((220, 800), (240, 260), (760, 240), (780, 810)), ((240, 520), (765, 505))),
    "fork": (
        ((250, 190), (270, 480), (500, 560), (740, 470), (760, 200)),
        ((500, 180), (505, 840)),
    ),
    "spiral": (
        (
            *((500, 500), (590, 470), (620, 560), (520, 640), (390, 590), (360, 440), (470, 320)),
            *((650, 310), (770, 440), (780, 620), (660, 780), (460, 820), (270, 730), (190, 560)),
        ),
    ),
    "bolt": (((640, 160), (300, 540), (690, 500), (360, 850)),),
    "cup": (
        ((200, 260), (230, 560), (380, 760), (620, 760), (770, 560), (800, 250)),
        ((180, 250), (815, 240)),
    ),
    "star": (
        ((500, 170), (505, 830)),
        ((215, 335), (790, 670)),
        ((790, 330), (210, 675)),
    ),
    "ladder": (
        ((330, 170), (310, 840)),
        ((680, 165), (690, 835)),
        ((325, 380), (680, 375)),
        ((320, 620), (685, 615)),
    ),
    "hook": (
        ((300, 230), (640, 210), (730, 380), (640, 550), (400, 560)),
        ((410, 560), (390, 850)),
    ),
    "wave": (((170, 560), (270, 340), (390, 360), (500, 600), (620, 650), (730, 420), (840, 400)),),
    "house": (
        ((190, 480), (500, 190), (815, 470)),
        ((290, 480), (300, 810), (710, 805), (715, 475)),
    ),
}
HANDS = ((100, 0, 100), (86, 14, 104), (106, -16, 88), (94, 22, 97), (110, -9, 108))  # one per shot
QUERY_HAND = (92, -20, 106)
ASKED = 2  # the class whose drawing stands on the query pad


def example(ways: int, shots: int, number: int) -> Load:
    """The first characters, each drawn by as many hands as there are shots; `number` tells apart
    pressing the button twice."""
    shapes = list(SHAPES.values())[:ways]
    return Load(
        id=f"example {number}",
        names=list(SHAPES)[:ways],
        support=[[_drawn(shape, hand) for hand in HANDS[:shots]] for shape in shapes],
        query=_drawn(shapes[min(ASKED, ways - 1)], QUERY_HAND),
    )


def _drawn(shape: Shape, hand: tuple[int, int, int]) -> Strokes:
    """Wider or narrower, slanted, taller or shorter: percentages."""
    wide, slant, tall = hand
    return [
        [
            [round(500 + (x - 500) * wide / 100 + (500 - y) * slant / 100), _tall(y, tall)]
            for x, y in stroke
        ]
        for stroke in shape
    ]


def _tall(y: int, tall: int) -> int:
    return round(500 + (y - 500) * tall / 100)
