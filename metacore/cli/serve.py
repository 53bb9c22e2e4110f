"""`metacore serve`: the dashboard, for oneself or, with --class, for everyone in the room.

The rules of a class reach the server through its environment, with the digest of the teacher's key
in place of the key. This process becomes the server: a signal that ends one ends the other.
"""

import ipaddress
import os
import platform
import secrets
import socket
import subprocess
import sys
from argparse import Namespace
from collections.abc import Iterator
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path

import psutil

from metacore import child
from metacore.cli import display
from metacore.cli.flags import Parser, number, whole
from metacore.errors import UserError
from metacore.runs.classroom import SHORTEST_KEY, VARIABLE, Classroom, Limits, digest
from metacore.settings import settings_of

APP = Path(__file__).parents[2] / "app.py"
FIRST_PORT, PORTS = 8501, 50
LOOPBACK, EVERYWHERE = "127.0.0.1", "0.0.0.0"
LOCAL_NAMES = ("localhost", "127.0.0.1", "::1")
KEY_LETTERS = "abcdefghjkmnpqrstuvwxyz23456789"  # no look-alikes: it may have to be typed
FLAGS = {"quota": "quota", "seconds": "budget", "iterations": "steps", "kept": "runs"}


def add_flags(parser: Parser) -> None:
    defaults = {setting.name: setting for setting in settings_of(Limits)}
    parser.add_argument("--port", type=whole, metavar="N", help="Default: the first free one.")
    parser.add_argument(
        "--address",
        metavar="IP",
        help=f"Where to listen. Default: {LOOPBACK}, with --class {EVERYWHERE}.",
    )
    parser.add_argument(
        "--class",
        dest="classroom",
        action="store_true",
        help="Visitors change only what they start; a teacher may do all.",
    )
    for name, flag in FLAGS.items():
        kind = whole if defaults[name].type is int else number
        text = f"With --class: {defaults[name].help} Default: {defaults[name].default:g}."
        parser.add_argument(f"--{flag}", type=kind, metavar="N", help=text)
    for flag, metavar, text in (
        ("teacher-key", "KEY", "With --class: the teacher's key. Default: a new one each time."),
        ("teachers", "A@B,C@D", "With --class: who is a teacher when they sign in."),
    ):
        parser.add_argument(f"--{flag}", metavar=metavar, help=text)
    parser.add_argument(
        "--host",
        action="append",
        default=[],
        metavar="NAME",
        help="Another name this server is reached by; may be repeated.",
    )


@dataclass(frozen=True)
class Place:
    """Where the server listens, and the names it answers to."""

    address: str
    port: int
    names: tuple[str, ...]  # those others use first

    @property
    def links(self) -> list[str]:
        return [f"http://{_in_link(name)}:{self.port}" for name in self.names]


def serve(arguments: Namespace) -> int:
    _refuse_without_dashboard()
    found = place(arguments)
    environment = child.environment()
    environment.pop(VARIABLE, None)
    if arguments.classroom:
        key = teacher_key(arguments)
        environment[VARIABLE] = classroom(arguments, key).to_json()
        _tell(arguments, found, key)
    else:
        _refuse_class_flags(arguments)
        if not _loopback(found.address):
            display.say(
                "Whoever can reach this server may cancel and delete every run: metacore serve"
                " --class gives everyone their own."
            )
    return _become(command(found, quiet=arguments.classroom), environment)


def place(arguments: Namespace) -> Place:
    address = arguments.address or (EVERYWHERE if arguments.classroom else LOOPBACK)
    names = [*arguments.host, *_names(address)]
    return Place(address, arguments.port or _free_port(address), tuple(dict.fromkeys(names)))


def classroom(arguments: Namespace, key: str) -> Classroom:
    """The rules that were asked for."""
    asked = {name: getattr(arguments, flag) for name, flag in FLAGS.items()}
    limits = Limits(**{name: value for name, value in asked.items() if value is not None})
    listed = [name.strip() for name in (arguments.teachers or "").split(",")]
    return Classroom(limits, digest("teacher", key), tuple(name for name in listed if name))


def teacher_key(arguments: Namespace) -> str:
    key = arguments.teacher_key
    if key is None:
        letters = (secrets.choice(KEY_LETTERS) for _ in range(16))
        return "-".join("".join(next(letters) for _ in range(4)) for _ in range(4))
    if len(key) < SHORTEST_KEY or not key.isascii() or not key.replace("-", "").isalnum():
        raise UserError(
            f"--teacher-key needs {SHORTEST_KEY} or more letters, digits and dashes: a shorter key"
            " can be guessed."
        )
    return str(key)


def command(found: Place, *, quiet: bool) -> list[str]:
    words = [sys.executable, "-m", "streamlit", "run", str(APP)]
    words += [f"--server.address={found.address}", f"--server.port={found.port}"]
    words += [
        f"--server.allowedHosts={name}" for name in dict.fromkeys((*found.names, *LOCAL_NAMES))
    ]
    if quiet:  # what there is to know has been printed; no browser opens on a server
        words += ["--server.headless=true", "--logger.hideWelcomeMessage=true"]
    return words


def _tell(arguments: Namespace, found: Place, key: str) -> None:
    teacher = f"{found.links[0]}/?teacher={key}"
    if arguments.json:
        display.print_json({"addresses": found.links, "teacher": teacher, "key": key})
    else:
        display.say(f"For everyone:     {'  '.join(found.links)}")
        display.say(f"For the teacher:  {teacher}")
        display.say("Keep the second to yourself: whoever opens it may change every run.")
    sys.stdout.flush()


def _refuse_class_flags(arguments: Namespace) -> None:
    flags = [*FLAGS.values(), "teacher-key", "teachers"]
    given = [flag for flag in flags if getattr(arguments, flag.replace("-", "_")) is not None]
    if given:
        raise UserError(f"--{given[0]} is a rule of a class: add --class.")


def _refuse_without_dashboard() -> None:
    if not APP.is_file():
        raise UserError(
            f"The dashboard is not installed with the package ({APP} is missing): run metacore"
            " serve from a copy of the repository, after pip install -e . in it."
        )
    if find_spec("streamlit") is None:
        raise UserError("The dashboard needs Streamlit: pip install streamlit.")


def _become(words: list[str], environment: dict[str, str]) -> int:
    """Windows cannot replace a process, so there the server is a child that is waited for."""
    if sys.platform != "win32":
        os.execve(words[0], words, environment)
    return subprocess.call(words, env=environment)


# --- addresses ---------------------------------------------------------------------------------


def _names(address: str) -> Iterator[str]:
    """What others would type to reach a server that listens there."""
    try:
        found = ipaddress.ip_address(address)
    except ValueError:
        yield address
        return
    if not found.is_unspecified:
        yield address
        return
    for addresses in psutil.net_if_addrs().values():
        for each in addresses:
            if each.family == socket.AF_INET and not ipaddress.ip_address(each.address).is_loopback:
                yield each.address
    name = platform.node()
    yield from (name, f"{name.partition('.')[0]}.local") if name else ()
    yield LOOPBACK


def _free_port(address: str) -> int:
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    for port in range(FIRST_PORT, FIRST_PORT + PORTS):
        with socket.socket(family) as attempt:
            attempt.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                attempt.bind((address, port))
            except OSError:
                continue
            return port
    raise UserError(f"No port of {address} is free: name one with --port, or another --address.")


def _loopback(address: str) -> bool:
    try:
        return ipaddress.ip_address(address).is_loopback
    except ValueError:
        return address == "localhost"


def _in_link(name: str) -> str:
    return f"[{name}]" if ":" in name else name
