"""Names of files that anybody may have chosen."""

LONGEST_NAME = 60


def shown(name: str) -> str:
    """A file's name as a sentence may show it: one printable line, its middle left out if long."""
    clean = "".join(letter if letter.isprintable() else "?" for letter in name).strip() or "?"
    if len(clean) <= LONGEST_NAME:
        return clean
    half = LONGEST_NAME // 2 - 1
    return f"{clean[:half]}…{clean[-half:]}"
