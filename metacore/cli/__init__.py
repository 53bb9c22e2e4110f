"""The command line: `metacore COMMAND …`.

A UserError becomes one sentence on stderr and exit code 2; so does a bad flag. `--json` prints one
JSON value on stdout and nothing else there.
"""

import argparse
import os
import sys
from collections.abc import Callable, Sequence

from metacore.cli import catalogue, commands, serve, trial
from metacore.cli.flags import Parser, add_protocol_flags, add_run_flags, number, whole
from metacore.errors import UserError

BAD_INPUT = 2
Command = Callable[[argparse.Namespace], int]


def main(words: Sequence[str] | None = None) -> int:
    words = list(sys.argv[1:] if words is None else words)
    try:
        arguments, unknown = _parser(words).parse_known_args(words)
        if unknown:
            arguments.parser.refuse(unknown)
        if arguments.command is None:
            arguments.parser.print_help()
            return BAD_INPUT
        command: Command = arguments.command
        return command(arguments)
    except UserError as error:
        print(error, file=sys.stderr)
        return BAD_INPUT
    except KeyboardInterrupt:
        return commands.CANCELLED
    except BrokenPipeError:  # the reader of a pipe has gone: nobody is left to tell
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return commands.FAILED
    except OSError as error:  # a disk or a folder that refuses what nobody foresaw
        where = "" if error.filename is None else f"{error.filename}: "
        print(f"{where}{error.strerror or error}.", file=sys.stderr)
        return BAD_INPUT


def _parser(words: list[str]) -> Parser:
    parser = Parser(prog="metacore", description="Watch a network learn to learn.")
    parser.set_defaults(command=None, parser=parser)
    verbs = parser.add_subparsers(title="commands", metavar="COMMAND", parser_class=Parser)
    _add_train(verbs, words)
    evaluate = _add(verbs, "evaluate", commands.evaluate, "Test a run on fixed episodes.")
    evaluate.add_argument("run", metavar="RUN", help="The run's name or id.")
    add_protocol_flags(evaluate)
    compare = _add(verbs, "compare", commands.compare, "Test runs on the same episodes.")
    compare.add_argument("runs", metavar="RUN", nargs="+", help="Two runs or more.")
    text = "Also measure what each run keeps of a task, and what taking one in and answering cost."
    compare.add_argument("--cost", action="store_true", help=text)
    add_protocol_flags(compare)
    text = "Let runs answer pictures of your own, in a folder per class."
    trial.add_flags(_add(verbs, "trial", trial.trial, text))
    text = "Open the dashboard; --class lets others in, each with runs of their own."
    serve.add_flags(_add(verbs, "serve", serve.serve, text))
    _add_run_verbs(verbs)
    _add_data(verbs)
    _add(verbs, "algorithms", catalogue.algorithms, "List the algorithms.")
    _add(verbs, "datasets", catalogue.datasets, "List the datasets.")
    _add(verbs, "models", catalogue.models, "List the models.")
    return parser


def _add(
    verbs: "argparse._SubParsersAction[Parser]", name: str, command: Command, text: str
) -> Parser:
    parser = verbs.add_parser(name, help=text, description=text)
    parser.set_defaults(command=command, parser=parser)
    parser.add_argument("--json", action="store_true", help="Print JSON for machines.")
    return parser


def _add_train(verbs: "argparse._SubParsersAction[Parser]", words: list[str]) -> None:
    parser = _add(verbs, "train", commands.train, "Meta-train a network here and now.")
    parser.add_argument("--name", help="What to call the run.")
    if words[:1] == ["train"]:
        add_run_flags(parser, words[1:])


def _add_run_verbs(verbs: "argparse._SubParsersAction[Parser]") -> None:
    resume = _add(verbs, "resume", commands.resume, "Go on with a run from its last checkpoint.")
    resume.add_argument("--iterations", type=whole, metavar="N", help="A new total of meta-steps.")
    resume.add_argument("--seconds", type=number, metavar="X", help="A new total of seconds.")
    cancel = _add(verbs, "cancel", commands.cancel, "Stop a run; it can be resumed.")
    show = _add(verbs, "show", commands.show, "Show a run's config and result.")
    delete = _add(verbs, "delete", commands.delete, "Delete a run and its weights.")
    delete.add_argument("--yes", action="store_true", help="Do not ask.")
    leave = _add(verbs, "export", commands.export_, "Write a run to one file.")
    for parser in (resume, cancel, show, delete, leave):
        parser.add_argument("run", metavar="RUN", help="The run's name or id.")
    arrive = _add(verbs, "import", commands.import_file, "Read a run from such a file.")
    for parser in (leave, arrive):
        parser.add_argument("file", metavar="FILE")
    _add(verbs, "runs", commands.runs, "List all runs.")


def _add_data(verbs: "argparse._SubParsersAction[Parser]") -> None:
    text = "List, download or add datasets."
    parser = verbs.add_parser("data", help=text, description=text)
    parser.set_defaults(parser=parser)
    kinds = parser.add_subparsers(title="commands", metavar="COMMAND", parser_class=Parser)
    _add(kinds, "list", catalogue.data_list, "What is on this computer.")
    get = _add(kinds, "get", catalogue.data_get, "Download a dataset, or a network's weights.")
    add = _add(kinds, "add", catalogue.data_add, "Take a copy you already have.")
    names = "Of a dataset; of a network, to get its weights; or weights, to add a file of some."
    for kind in (get, add):
        kind.add_argument("dataset", metavar="NAME", help=names)
    text = "Only these, where a dataset can be had in parts: cat,dog,'school bus'."
    get.add_argument("--classes", type=_names, default=(), metavar="NAME,NAME", help=text)
    text = "How many of each class, where a dataset can be had in parts."
    get.add_argument("--pictures", type=_count, default=0, metavar="N", help=text)
    text = "Holds the archives or their contents; or is a file of weights."
    add.add_argument("folder", metavar="FOLDER", help=text)
    text = "What to call it, of a dataset that keeps several (folder). Default: the folder's name."
    add.add_argument("--name", metavar="NAME", help=text)


def _names(text: str) -> list[str]:
    names = [name.strip() for name in text.split(",")]
    if not all(names):
        raise argparse.ArgumentTypeError(f"must be names with a comma between, not {text!r}")
    return names


def _count(text: str) -> int:
    count = whole(text)
    if count < 1:
        raise argparse.ArgumentTypeError(f"must be at least 1, not {count}")
    return count
