"""A web server for tests of downloads: sends files in parts, cuts connections, changes its mind."""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from urllib.parse import unquote


class Files:
    """What it sends, and how badly. `asked` are the ranges asked for, None for a whole file."""

    def __init__(self) -> None:
        self.content: dict[str, bytes] = {}
        self.version = "1"
        self.cuts: list[int] = []  # bytes after which the next answers end
        self.errors: list[int] = []  # what the next answers are instead
        self.ranges = True  # whether it can send parts
        self.asked: list[str | None] = []
        self.address = ""


@contextmanager
def serving() -> Iterator[Files]:
    files = Files()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            files.asked.append(self.headers.get("Range"))
            if files.errors:
                return self.send_error(files.errors.pop(0))
            content = files.content.get(unquote(self.path).lstrip("/"))
            if content is None:
                return self.send_error(404)
            return self._send(content)

        def _send(self, content: bytes) -> None:
            first, last = self._part(len(content))
            if first >= len(content) > 0:
                self.send_response(416)
                self.send_header("Content-Range", f"bytes */{len(content)}")
                self.send_header("Content-Length", "0")
                return self.end_headers()
            part = content[first : last + 1]
            self.send_response(200 if len(part) == len(content) else 206)
            self.send_header("Content-Length", str(len(part)))
            self.send_header("ETag", f'"{files.version}"')
            self.end_headers()
            self.wfile.write(part[: files.cuts.pop(0) if files.cuts else None])
            return None

        def _part(self, size: int) -> tuple[int, int]:
            asked = re.fullmatch(r"bytes=(\d+)-(\d*)", self.headers.get("Range", ""))
            same = self.headers.get("If-Range", f'"{files.version}"') == f'"{files.version}"'
            if asked is None or not files.ranges or not same:
                return 0, size
            return int(asked[1]), int(asked[2] or size)

        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    files.address = f"http://127.0.0.1:{server.server_address[1]}"
    thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    try:
        yield files
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
