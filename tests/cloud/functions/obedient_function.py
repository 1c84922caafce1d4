"""A Lambda function that does as the event says; else it answers what it was given."""

import ctypes
import datetime
import decimal
import json
import logging
import os
import signal
import socket
import subprocess
import sys
import threading
from pathlib import Path
from typing import Any

counter = 0


def handler(event: Any, context: Any) -> Any:
    """Do it."""
    global counter
    if not isinstance(event, dict) or "do" not in event:
        return event
    counter += 1
    return globals()[f"do_{event['do']}"](event.get("with"), context)


class CustomException(Exception):
    """An exception of the function's own."""


def do_count(_: Any, context: Any) -> Any:
    """How often this process was asked to do something."""
    return counter


def do_pid(_: Any, context: Any) -> Any:
    """Who this process is."""
    return os.getpid()


def do_raise(message: Any, context: Any) -> Any:
    """Fail."""
    raise CustomException(message)


def do_exit(code: Any, context: Any) -> Any:
    """Leave by sys.exit."""
    sys.exit(code)


def do_leave(code: Any, context: Any) -> Any:
    """Leave without a word to Python."""
    os._exit(code)


def do_signal(number: Any, context: Any) -> Any:
    """End by a signal."""
    if number != signal.SIGKILL:
        signal.signal(number, signal.SIG_DFL)
    os.kill(os.getpid(), number)
    threading.Event().wait()


def do_crash(_: Any, context: Any) -> Any:
    """Touch memory that is not there."""
    ctypes.string_at(0)


def do_hang(_: Any, context: Any) -> Any:
    """Never answer."""
    threading.Event().wait()


def do_print(texts: Any, context: Any) -> Any:
    """Print."""
    for text in texts:
        print(text)


def do_write(text: Any, context: Any) -> Any:
    """Print without a newline."""
    sys.stdout.write(text)


def do_log(message: Any, context: Any) -> Any:
    """Print and log, as the answer recorded from AWS did."""
    print("Lambda log message - print function")
    logging.getLogger().setLevel(logging.INFO)
    logging.info(message)
    return context.aws_request_id


def do_flood(lines: Any, context: Any) -> Any:
    """Print many lines."""
    for number in range(lines):
        print(number)


def do_environment(_: Any, context: Any) -> Any:
    """The environment of the process."""
    return dict(os.environ)


def do_context(_: Any, context: Any) -> Any:
    """What the context tells."""
    client = context.client_context
    return {
        "aws_request_id": context.aws_request_id,
        "invoked_function_arn": context.invoked_function_arn,
        "function_version": context.function_version,
        "function_name": context.function_name,
        "memory_limit_in_mb": context.memory_limit_in_mb,
        "log_group_name": context.log_group_name,
        "log_stream_name": context.log_stream_name,
        "remaining": context.get_remaining_time_in_millis(),
        "client_context": client and {"custom": client.custom, "env": client.env},
    }


def do_path(_: Any, context: Any) -> Any:
    """Where modules are looked for, and where we are."""
    return {"path": sys.path, "cwd": str(Path.cwd()), "argv": sys.argv}


def do_import(name: Any, context: Any) -> Any:
    """Import a module; where it is."""
    return __import__(name).__file__


def do_bytes(size: Any, context: Any) -> Any:
    """Answer with that many bytes of JSON."""
    return "x" * (size - 2)


def do_return(what: Any, context: Any) -> Any:
    """Answer with what JSON does not have."""
    return {
        "set": {1, 2},
        "date": datetime.datetime(2026, 1, 1),
        "decimal": decimal.Decimal("1.5"),
        "nan": float("nan"),
        "raw": b'{"raw": true}',
        "umlaut": "\u00fc",
    }[what]


def do_eat(megabytes: Any, context: Any) -> Any:
    """Take memory, and keep it until the end."""
    kept = [bytearray(os.urandom(1024) * 1024) for _ in range(megabytes)]
    threading.Event().wait()
    return len(kept)


def do_bite(megabytes: Any, context: Any) -> Any:
    """Take memory and answer at once."""
    return len([bytearray(os.urandom(1024) * 1024) for _ in range(megabytes)])


def do_touch(name: Any, context: Any) -> Any:
    """Leave a file in the temporary folder."""
    Path(os.environ["TMPDIR"], name).write_text("some-content")


def do_read(name: Any, context: Any) -> Any:
    """Read it."""
    return Path(os.environ["TMPDIR"], name).read_text()


def do_fork(_: Any, context: Any) -> Any:
    """Leave a process behind that hears nothing, in a session of its own."""
    child = subprocess.Popen(
        [
            sys.executable,
            "-c",
            "import signal, sys; signal.signal(signal.SIGTERM, signal.SIG_IGN);"
            "print('ready', flush=True); signal.pause()",
        ],
        start_new_session=True,
        stdout=subprocess.PIPE,
    )
    assert child.stdout is not None
    child.stdout.readline()
    return child.pid


def do_call(request: Any, context: Any) -> Any:
    """Call a service by boto3."""
    import boto3

    service, operation, arguments = request
    answer = getattr(boto3.client(service), operation)(**arguments)
    answer.pop("ResponseMetadata")
    return json.loads(json.dumps(answer, default=str))


def do_ring(order: Any, context: Any) -> Any:
    """Tell a test that we are here, and do what it answers."""
    with socket.create_connection(("127.0.0.1", order["port"])) as line:
        line.sendall(json.dumps({"say": order.get("say"), "id": context.aws_request_id}).encode())
        line.shutdown(socket.SHUT_WR)
        answer = json.loads(line.makefile().read())
    return handler(answer, context)
