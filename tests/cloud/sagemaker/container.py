"""What the test images run: a program whose hyperparameters or environment say what it does."""

import contextlib
import http.server
import json
import os
import signal
import sys
import threading
from collections.abc import Sequence
from pathlib import Path
from typing import NoReturn

BASE = Path(os.environ.get("SAGEMAKER_BASE_DIR", "/opt/ml"))


def main(argv: Sequence[str]) -> int:
    """`train` or `serve`."""
    return _train() if argv[-1] == "train" else _serve()


def _train() -> int:
    """Do what the hyperparameters say, one after the other, in the order of their names."""
    base = Path(os.environ["SAGEMAKER_BASE_DIR"])
    wishes = json.loads((base / "input/config/hyperparameters.json").read_text())
    for wish in sorted(wishes):
        what, value = wish.partition("-")[2], wishes[wish]
        if what == "print":
            print(value, flush=True)
        elif what == "flood":
            for number in range(int(value)):
                print(f"line {number}")
        elif what == "model":
            (base / "model/model.txt").write_text(value)
        elif what == "output":
            (base / "output/data/output.txt").write_text(value)
        elif what == "failure":
            (base / "output/failure").write_text(value)
        elif what == "link":
            (base / "model/link").symlink_to(value)
        elif what == "exit":
            return int(value)
        elif what == "kill":
            os.kill(os.getpid(), signal.SIGKILL)
        elif what == "meet":
            # Whoever opens the other end knows that this program has come here.
            Path(value).read_text()
        elif what == "obey":
            return int(Path(value).read_text())
        elif what == "term":
            _wait_for_term(value, base)
        elif what == "hang":
            _hang(value)
        elif what == "environment":
            (base / "model/environment.json").write_text(json.dumps(dict(os.environ)))
        elif what == "tree":
            files = [str(p.relative_to(base)) for p in base.rglob("*") if p.is_file()]
            (base / "model/tree.json").write_text(json.dumps(sorted(files)))
        else:
            raise AssertionError(f"no wish {wish}")
    return 0


def _wait_for_term(meeting: str, base: Path) -> None:
    """Wait for SIGTERM and save a model then, as a well-behaved algorithm does."""
    asked = threading.Event()
    signal.signal(signal.SIGTERM, lambda number, frame: asked.set())
    Path(meeting).write_text("waiting")
    while not asked.wait(1):
        pass
    (base / "model/model.txt").write_text("saved on SIGTERM")


def _hang(meeting: str) -> NoReturn:
    """Ignore SIGTERM, say who we are and do nothing for ever."""
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    Path(meeting).write_text(str(os.getpid()))
    while True:
        signal.pause()


class _Handler(http.server.BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        do = os.environ.get("DO", "")
        if do.startswith("sick "):
            # Whoever opens the other end knows that it has been pinged.
            with contextlib.suppress(FileNotFoundError), Path(do[5:]).open("w") as pipe:
                Path(do[5:]).unlink()
                pipe.write("pinged")
            self._answer(503, b"")
        else:
            self._answer(200, b"")

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["content-length"]))
        if body == b"die":
            os.kill(os.getpid(), signal.SIGKILL)
        elif body.startswith(b"meet "):
            # The one end of a pipe: the answer is what the test writes into the other.
            self._answer(200, Path(body[5:].decode()).read_bytes())
        elif body == b"break":
            self.close_connection = True
        elif body == b"pid":
            self._answer(200, str(os.getpid()).encode())
        elif body == b"model":
            model = Path(os.environ["SAGEMAKER_BASE_DIR"]) / "model"
            names = sorted(str(p.relative_to(model)) for p in model.rglob("*"))
            self._answer(200, json.dumps(names).encode())
        elif body == b"environment":
            self._answer(200, json.dumps(dict(os.environ)).encode())
        else:
            self._answer(200, os.environ.get("NAME", "").encode())

    def _answer(self, status: int, content: bytes) -> None:
        self.send_response(status)
        self.send_header("content-length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, format: str, *args: object) -> None:
        print(self.command, self.path, flush=True)


class _Server(http.server.ThreadingHTTPServer):
    # The default is 5: a connection more waits for a second.
    request_queue_size = 128


def _make(flag: Path) -> bool:
    """Whether the file was not there before."""
    try:
        flag.touch(exist_ok=False)
    except FileExistsError:
        return False
    return True


def _serve() -> int:
    do = os.environ.get("DO", "")
    if do.startswith("crash"):
        print("cannot start", file=sys.stderr, flush=True)
        return 3
    if do.startswith(("times ", "stall ")):
        # Healthy so many times, never again: what a worker is that cannot be replaced.
        word, times, place = do.split(" ")
        if not any(_make(Path(f"{place}{number}")) for number in range(int(times))):
            if word == "stall":
                threading.Event().wait()
            return 4
    if do.startswith("gate "):
        Path(do[5:]).read_text()
    if do.startswith("pid "):
        Path(do[4:]).write_text(str(os.getpid()))
        threading.Event().wait()
    if do == "stubborn":
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
    address = os.environ["SAGEMAKER_BIND_TO_HOST"], int(os.environ["SAGEMAKER_BIND_TO_PORT"])
    _Server(address, _Handler).serve_forever()
    return 0
