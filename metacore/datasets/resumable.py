"""Large files, or their beginnings, downloaded so that an interruption costs nothing.

What has arrived lies in a file named .part; the next try asks the server for the rest of it
(HTTP Range) and starts anew where the file has changed there meanwhile or the server cannot do
that. The whole takes its name only when it is there.
"""

import http.client
import time
import urllib.error
import urllib.request
from contextlib import suppress
from pathlib import Path

from metacore.atomic import replace
from metacore.datasets.base import Progress
from metacore.errors import UserError

TRIES = 4
PAUSE = 1.0  # seconds before the second try; twice as long before each further one
TIMEOUT = 30.0  # seconds without a byte
_BLOCK = 1 << 16
GOES_ON = "What has arrived is kept: the same command goes on from there."
_BROKEN = (urllib.error.URLError, http.client.HTTPException, TimeoutError, ConnectionError)


class _CutOffError(ConnectionError):
    """The connection ended before the file did."""


def fetch(
    address: str,
    target: Path,
    *,
    what: str,
    first: int | None = None,
    again: str = "",
    progress: Progress | None = None,
) -> None:
    """The file at an address, or its `first` bytes; `again` says what else one could do."""
    part = target.with_name(f"{target.name}.part")
    for attempt in range(TRIES):
        try:
            _go_on(address, part, what, first, progress)
            break
        except _BROKEN as error:
            code = getattr(error, "code", None)
            if code is not None and code < 500:
                raise UserError(f"{address} cannot be had (error {code}). {again}") from error
            if attempt == TRIES - 1:
                reason = getattr(error, "reason", None) or error
                raise UserError(
                    f"{address} cannot be reached ({reason}). {GOES_ON} {again}"
                ) from error
        time.sleep(PAUSE * 2**attempt)
    replace(part, target)
    _version_file(part).unlink(missing_ok=True)


def _go_on(
    address: str, part: Path, what: str, first: int | None, progress: Progress | None
) -> None:
    have = part.stat().st_size if part.exists() else 0
    if first is not None and have >= first:
        return
    try:
        answer = urllib.request.urlopen(_asking(address, part, have, first), timeout=TIMEOUT)
    except urllib.error.HTTPError as error:
        if error.code != http.HTTPStatus.REQUESTED_RANGE_NOT_SATISFIABLE or not have:
            raise
        if _total(error.headers.get("Content-Range")) == have:
            return  # it had arrived whole
        part.unlink()
        raise _CutOffError("the file there is another one now") from None
    with answer:
        more = answer.status == http.HTTPStatus.PARTIAL_CONTENT
        have = have if more else 0
        _remember_version(part, answer.headers.get("ETag"))
        length = answer.headers.get("Content-Length")
        until = have + int(length) if length else None
        if first is not None:
            until = first if until is None else min(until, first)
        with part.open("ab" if more else "wb") as file:
            while until is None or have < until:
                block = answer.read(_BLOCK if until is None else min(_BLOCK, until - have))
                if not block:
                    break
                file.write(block)
                have += len(block)
                if progress is not None:
                    progress(what, have, until)
    if until is not None and have < until:
        raise _CutOffError(f"the connection was cut after {have:,} of {until:,} bytes")


def _asking(address: str, part: Path, have: int, first: int | None) -> urllib.request.Request:
    request = urllib.request.Request(address)
    if have or first is not None:
        request.add_header("Range", f"bytes={have}-{'' if first is None else first - 1}")
    if have:
        with suppress(OSError):
            request.add_header("If-Range", _version_file(part).read_text("utf-8"))
    return request


def _total(content_range: str | None) -> int | None:
    """Of `bytes */1234`."""
    total = (content_range or "").rpartition("/")[2]
    return int(total) if total.isdecimal() else None


def _version_file(part: Path) -> Path:
    """Holds what the server calls the version of which a part has arrived."""
    return part.with_name(f"{part.name}.version")


def _remember_version(part: Path, tag: str | None) -> None:
    if tag and not tag.startswith("W/"):
        _version_file(part).write_text(tag, "utf-8")
    else:
        _version_file(part).unlink(missing_ok=True)
