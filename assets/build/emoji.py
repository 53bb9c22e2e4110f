"""Makes the emoji that come with Metacore: python assets/build/emoji.py FOLDER

The folder holds the npm packages @iconify-json/… of the sets in `emoji_sets.py`, packed as
npm pack leaves them. Needs resvg-py. Every emoji that five sets or more show is rendered at
128 x 128 on white and reduced to 32 x 32, every pixel being the mean of the 16 it covers.

Fluent's flat set is left out: it is the other Fluent set without its shading (half of the pairs
differ by less than 25 of 255 grey levels, root of the mean square; those of any two other sets by
60 or more), so it is no hand of its own. Where a set draws two emoji alike (less than 8 grey
levels apart) only the first of them keeps the drawing. What then has fewer than five is left out.

Emoji are split within Unicode's groups by seed. What is the same but for being a man, a woman or a
person stays in one split.
"""

import io
import sys
from multiprocessing import Pool
from pathlib import Path

import numpy as np
import resvg_py
from emoji_sets import SETS, Emoji, EmojiSet, matched
from families import spread, write
from PIL import Image

SHIPPED = Path(__file__).resolve().parents[2] / "metacore" / "datasets" / "shipped"
SIDE, RENDERED = 32, 128
LEAST = 5  # styles of an emoji
COLUMNS = 40  # of a sheet
ALIKE = 8.0  # grey levels
WHO = {"man", "woman", "person", "men", "women", "people", "boy", "girl"}


def main(folder: Path) -> None:
    sets = [EmojiSet.read(name, folder) for name in SETS]
    emoji = matched(sets, LEAST)
    drawn = {one.name: drawings(one, emoji) for one in sets}
    for found in drawn.values():
        leave_out_twins(found)
    kept = [one for one in emoji if sum(one.name in found for found in drawn.values()) >= LEAST]
    lists = split(kept)
    order = [name for names in lists.values() for name in names]
    for one in sets:
        found = drawn[one.name]
        save([found[name] for name in order if name in found], f"emoji-{one.name}.webp")
    styles = {
        name: [number for number, one in enumerate(SETS) if name in drawn[one]] for name in order
    }
    splits = {which: {name: styles[name] for name in names} for which, names in lists.items()}
    write(SHIPPED / "emoji.json", {"styles": list(SETS), **splits})
    (SHIPPED / "emoji.txt").write_text(attribution(sets), "utf-8")


def drawings(one: EmojiSet, emoji: list[Emoji]) -> dict[str, np.ndarray]:
    """What a set shows, by name: uint8 [32, 32, 3]."""
    names = [each.name for each in emoji if one.name in each.icons]
    svgs = [one.svg(each.icons[one.name]) for each in emoji if one.name in each.icons]
    with Pool() as pool:
        return dict(zip(names, pool.map(render, svgs, chunksize=50), strict=True))


def render(svg: str) -> np.ndarray:
    data = bytes(resvg_py.svg_to_bytes(svg_string=svg, width=RENDERED, height=RENDERED))
    with Image.open(io.BytesIO(data)) as drawing:
        page = Image.new("RGBA", drawing.size, "white")
        page.alpha_composite(drawing.convert("RGBA"))
        return np.asarray(page.convert("RGB").resize((SIDE, SIDE), Image.Resampling.BOX))


def leave_out_twins(found: dict[str, np.ndarray]) -> None:
    names = list(found)
    flat = np.stack([found[name] for name in names]).reshape(len(names), -1).astype(np.float64)
    squares = (flat**2).sum(1)
    away = np.sqrt(np.maximum(squares[:, None] + squares - 2 * flat @ flat.T, 0) / flat.shape[1])
    for row, name in enumerate(names):
        if any(away[row, other] < ALIKE and names[other] in found for other in range(row)):
            del found[name]


def split(emoji: list[Emoji]) -> dict[str, list[str]]:
    kin: dict[str, list[str]] = {}
    groups: dict[str, list[str]] = {}
    for one in emoji:
        stem = " ".join(word for word in one.name.split() if word not in WHO) or one.name
        kin.setdefault(stem, []).append(one.name)
        if len(kin[stem]) == 1:
            groups.setdefault(one.group, []).append(stem)
    stems = spread(groups, seed=0)
    return {
        which: sorted((name for stem in names for name in kin[stem]), key=str.casefold)
        for which, names in stems.items()
    }


def save(pictures: list[np.ndarray], name: str) -> None:
    rows = -(-len(pictures) // COLUMNS)
    sheet = np.full((rows * COLUMNS, SIDE, SIDE, 3), 255, np.uint8)
    sheet[: len(pictures)] = pictures
    apart = sheet.reshape(rows, COLUMNS, SIDE, SIDE, 3).transpose(0, 2, 1, 3, 4)
    whole = Image.fromarray(apart.reshape(rows * SIDE, COLUMNS * SIDE, 3))
    whole.save(SHIPPED / name, lossless=True, quality=100, method=6)


def attribution(sets: list[EmojiSet]) -> str:
    lines = [
        "The sheets emoji-*.webp show drawings of these sets, rendered from the npm packages",
        "@iconify-json/… at 32 x 32 pixels on white (assets/build/emoji.py). The drawings are",
        "otherwise unchanged. Flags, skin tones and drawings that few sets have are left out. The",
        "texts of the MIT and the Apache license lie beside this file.",
        "",
    ]
    for one in sets:
        info, licence = one.info, one.info["license"]
        lines += [
            f"{info['name']}, by {info['author']['name']}",
            f"  source:  {info['author']['url']}",
            f"  license: {licence['spdx']}, {licence['url']}",
            f"  sheet:   emoji-{one.name}.webp",
            "",
        ]
    return "\n".join(lines).rstrip() + "\n"


if __name__ == "__main__":
    main(Path(sys.argv[1]))
