"""Which drawing of seven sets shows which emoji: by code point where a set tells it, else by name.

Sets that know no code points name their drawings after Unicode's names, some by older names; what
those were is listed here, as are drawings that two sets mean differently by one name.
"""

import json
import re
import tarfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

SETS = (  # the order of their bits and sheets
    "twemoji",
    "noto",
    "noto-v1",
    "fluent-emoji",
    "emojione",
    "fxemoji",
    "streamline-emojis",
)
LICENCES = ("CC-BY-4.0", "Apache-2.0", "MIT")
OLDER = {  # name of today: what it was
    "a-button-blood-type": "a-button",
    "ab-button-blood-type": "ab-button",
    "b-button-blood-type": "b-button",
    "o-button-blood-type": "o-button",
    "bear": "bear-face",
    "fox": "fox-face",
    "frog": "frog-face",
    "hamster": "hamster-face",
    "lion": "lion-face",
    "panda": "panda-face",
    "robot": "robot-face",
    "unicorn": "unicorn-face",
    "wolf": "wolf-face",
    "bullseye": "direct-hit",
    "cat-with-tears-of-joy": "cat-face-with-tears-of-joy",
    "cat-with-wry-smile": "cat-face-with-wry-smile",
    "crying-cat": "crying-cat-face",
    "grinning-cat": "grinning-cat-face",
    "grinning-cat-with-smiling-eyes": "grinning-cat-face-with-smiling-eyes",
    "kissing-cat": "kissing-cat-face",
    "pouting-cat": "pouting-cat-face",
    "smiling-cat-with-heart-eyes": "smiling-cat-face-with-heart-eyes",
    "weary-cat": "weary-cat-face",
    "face-savoring-food": "face-savouring-delicious-food",
    "red-exclamation-mark": "exclamation-mark",
    "red-question-mark": "question-mark",
    "check-box-with-check": "ballot-box-with-check",
    "check-mark": "heavy-check-mark",
    "check-mark-button": "white-heavy-check-mark",
    "divide": "heavy-division-sign",
    "heart-exclamation": "heavy-heart-exclamation",
    "hollow-red-circle": "heavy-large-circle",
    "minus": "heavy-minus-sign",
    "multiply": "heavy-multiplication-x",
    "plus": "heavy-plus-sign",
    "laptop": "laptop-computer",
    "men-holding-hands": "two-men-holding-hands",
    "women-holding-hands": "two-women-holding-hands",
    "woman-and-man-holding-hands": "man-and-woman-holding-hands",
    "person-with-skullcap": "man-with-chinese-cap",
}
FXEMOJI = {  # what it names after what is on it, not after Unicode
    "cat": "catside",
    "cat-face": "cat",
    "dog": "dogside",
    "dog-face": "dog",
    "mouse": "mouseside",
    "mouse-face": "mouse",
    "pig": "pigside",
    "pig-face": "pig",
    "tiger": "tigerside",
    "tiger-face": "tiger",
    "leopard": "leopardside",
    "dragon": "dragonside",
    "dragon-face": "dragonhead",
    "rabbit": "bunnyside",
    "rabbit-face": "bunny",
    "cow": "",
    "horse": "",
}
_SKIN = re.compile("1f3f[b-f]")


@dataclass(frozen=True)
class EmojiSet:
    name: str
    info: dict[str, Any]
    icons: dict[str, Any]
    aliases: dict[str, Any]
    width: int
    height: int
    codes: dict[str, str]  # code point -> icon
    groups: dict[str, list[str]]  # group -> icons

    @classmethod
    def read(cls, name: str, folder: Path) -> "EmojiSet":
        (package,) = folder.glob(f"iconify-json-{name}-[0-9]*.tgz")
        with tarfile.open(package) as archive:
            parts = ("info", "icons", "chars", "metadata")
            info, icons, chars, metadata = (_json(archive, part) for part in parts)
        if info["license"]["spdx"] not in LICENCES:
            raise SystemExit(f"{name} is under {info['license']['spdx']}")
        codes = {code.replace("-fe0f", ""): icon for code, icon in dict(chars).items()}
        return cls(
            name,
            info,
            icons["icons"],
            icons.get("aliases", {}),
            icons.get("width", 16),
            icons.get("height", 16),
            codes,
            dict(metadata).get("categories", {}),
        )

    def icon(self, code: str, names: list[str]) -> str | None:
        """The icon that shows an emoji with this code point and these names."""
        if self.codes:
            return self._known(self.codes.get(code))
        if self.name == "fxemoji":
            return self._fxemoji(names)
        tried = [*names, *(OLDER[name] for name in names if name in OLDER)]
        tried += [f"{name}-1" for name in tried]  # of several, some count them
        return next(filter(None, map(self._known, tried)), None)

    def _fxemoji(self, names: list[str]) -> str | None:
        if names[0] in FXEMOJI:
            return self._known(FXEMOJI[names[0]])
        squeezed = [name.replace("-", "") for name in names]
        return next(filter(None, map(self._known, squeezed)), None)

    def _known(self, icon: str | None) -> str | None:
        if icon in self.aliases:
            alias = self.aliases[icon]
            return alias["parent"] if set(alias) == {"parent"} else None  # not a turned one
        return icon if icon in self.icons else None

    def svg(self, icon: str) -> str:
        found = self.icons[icon]
        width, height = found.get("width", self.width), found.get("height", self.height)
        left, top = found.get("left", 0), found.get("top", 0)
        return (
            '<svg xmlns="http://www.w3.org/2000/svg" xmlns:xlink="http://www.w3.org/1999/xlink"'
            f' viewBox="{left} {top} {width} {height}">{found["body"]}</svg>'
        )


def _json(archive: tarfile.TarFile, part: str) -> Any:
    content = archive.extractfile(f"package/{part}.json")
    assert content is not None
    return json.load(content)


@dataclass(frozen=True)
class Emoji:
    code: str  # such as "1f600"
    name: str  # such as "grinning face"
    group: str  # of Unicode
    icons: dict[str, str]  # set -> icon


def matched(sets: list[EmojiSet], least: int) -> list[Emoji]:
    """Every emoji that so many sets show, without flags and skin tones, in Unicode's groups."""
    knowing = [one for one in sets if one.codes]
    names: dict[str, list[str]] = {}
    groups: dict[str, str] = {}
    for one in sorted(knowing, key=lambda one: one.name != "noto"):
        group_of = {icon: group for group, icons in one.groups.items() for icon in icons}
        for code, icon in one.codes.items():
            names.setdefault(code, [])
            names[code] += [icon] if icon not in names[code] else []
            groups.setdefault(code, group_of.get(icon, ""))
    found = []
    for code, of_code in names.items():
        if _SKIN.search(code) or groups[code] in ("Flags", ""):
            continue
        icons = {one.name: icon for one in sets if (icon := one.icon(code, of_code))}
        if len(icons) >= least:
            found.append(Emoji(code, of_code[0].replace("-", " "), groups[code], icons))
    return sorted(found, key=lambda one: (one.group, one.code))
