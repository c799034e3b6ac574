"""The program started by a fork of a process that has loaded it already, which takes a tenth of the time.

Run as ``python -W error -m tests.cli.warm``. Each line on standard input is a start as JSON, see
:func:`start`; a line of output gives its exit code, as ``subprocess`` does. This tests what the program does;
that it starts as a person starts it is tested where signals and pipes are.
"""

from __future__ import annotations

import atexit
import functools
import gc
import importlib
import json
import os
import pkgutil
import signal
import subprocess
import sys
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import connector_app.commands
import sandbox

_PATIENCE = 60
"""Seconds after which a program is ended."""


def start(
    words: tuple[object, ...], *, cwd: Path, variables: dict[str, str], instead: str = ""
) -> subprocess.CompletedProcess[str]:
    """Run the program to its end as a process of its own.

    Args:
        words: of the command line. cwd: working folder. variables: its whole environment.
        instead: Python text to execute in that process in place of the program's start.
    """
    said = [str(one) for one in words]
    with TemporaryDirectory() as folder:
        out, err = Path(folder) / "out", Path(folder) / "err"
        order = {
            "words": said,
            "cwd": str(cwd),
            "variables": variables,
            "out": str(out),
            "err": str(err),
            "instead": instead,
        }
        server = _server()
        assert server.stdin is not None
        assert server.stdout is not None
        server.stdin.write(json.dumps(order) + "\n")
        server.stdin.flush()
        code = int(server.stdout.readline())
        return subprocess.CompletedProcess(said, code, out.read_text("utf-8"), err.read_text("utf-8"))


@functools.cache
def _server() -> subprocess.Popen[str]:
    root = Path(__file__).resolve().parents[2]
    server = subprocess.Popen(
        [sys.executable, "-W", "error", "-m", "tests.cli.warm"],
        cwd=root,
        env=os.environ | {"PYTHONPATH": str(root), "PYTHONUTF8": "1"},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    atexit.register(server.communicate)
    return server


def _serve() -> None:
    """Load everything, then start what is asked for until standard input ends."""
    for package in (connector_app.commands, sandbox):
        for one in pkgutil.walk_packages(package.__path__, f"{package.__name__}."):
            if not one.name.endswith("__main__"):
                importlib.import_module(one.name)
    gc.collect()
    gc.freeze()
    for line in sys.stdin:
        order = json.loads(line)
        child = os.fork()
        if not child:
            _be_the_program(order)
        print(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]), flush=True)


def _be_the_program(order: dict[str, Any]) -> None:
    code = 1
    try:
        for number, name in ((0, os.devnull), (1, order["out"]), (2, order["err"])):
            file = os.open(name, os.O_RDWR | os.O_CREAT, 0o600)
            os.dup2(file, number)
            os.close(file)
        signal.alarm(_PATIENCE)
        os.chdir(order["cwd"])
        os.environ.clear()
        os.environ.update(order["variables"])
        sys.argv = ["ksef-connector", *order["words"]]
        space = {"__name__": "__instead__"}
        exec(order["instead"] or _MAIN, space)
        code = 0
    except SystemExit as ended:
        code = ended.code if isinstance(ended.code, int) else int(ended.code is not None)
    except BaseException:
        sys.excepthook(*sys.exc_info())
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(code)


_MAIN = "from connector_app.cli import main; main()"

if __name__ == "__main__":
    _serve()
