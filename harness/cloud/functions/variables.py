"""The environment variables of a function's process."""

import os
import sys
from dataclasses import dataclass
from pathlib import Path

from harness.cloud.backing.clients import Credentials
from harness.cloud.backing.functions import FunctionVersion
from harness.cloud.functions.code_store import Code


@dataclass(frozen=True)
class Place:
    """Where a process runs: its folders, its log stream, the Runtime API, the cloud that it calls."""

    code: Code
    runtime: Path
    home: Path
    temporary: Path
    log_stream: str
    runtime_api: str
    endpoint_url: str


def variables(function: FunctionVersion, credentials: Credentials, place: Place) -> dict[str, str]:
    """What the platform sets, the function's own, and what the function cannot change.

    docs/notes/functions.md, "Environment variables".
    """
    return {
        **_defaults(place),
        **dict(function.environment),
        **_reserved(function, credentials, place),
    }


def _defaults(place: Place) -> dict[str, str]:
    task, opt = place.code.task, place.code.opt
    libraries = [place.runtime, place.runtime / "lib", task, task / "lib", opt / "lib"]
    inherited = os.environ.get("LD_LIBRARY_PATH")
    return {
        "PATH": f"{os.environ.get('PATH', os.defpath)}{os.pathsep}{opt / 'bin'}",
        "LD_LIBRARY_PATH": os.pathsep.join(
            [*([inherited] if inherited else []), *map(str, libraries)]
        ),
        "PYTHONPATH": str(place.runtime),
        "LANG": "en_US.UTF-8",
        "TZ": ":UTC",
        "HOME": str(place.home),
        "PWD": str(task),
        "SHLVL": "0",
        "TMPDIR": str(place.temporary),
        "AWS_ENDPOINT_URL": place.endpoint_url,
        "AWS_XRAY_CONTEXT_MISSING": "LOG_ERROR",
    }


def _reserved(function: FunctionVersion, credentials: Credentials, place: Place) -> dict[str, str]:
    own = f"python{sys.version_info.major}.{sys.version_info.minor}"
    return {
        "_HANDLER": function.handler or "",
        "AWS_ACCESS_KEY_ID": credentials.access_key_id,
        "AWS_SECRET_ACCESS_KEY": credentials.secret_access_key,
        "AWS_SESSION_TOKEN": credentials.session_token or "",
        "AWS_REGION": function.region,
        "AWS_DEFAULT_REGION": function.region,
        "AWS_EXECUTION_ENV": f"AWS_Lambda_{function.runtime or own}",
        "AWS_LAMBDA_FUNCTION_NAME": function.name,
        "AWS_LAMBDA_FUNCTION_VERSION": function.version,
        "AWS_LAMBDA_FUNCTION_MEMORY_SIZE": str(function.memory_size),
        "AWS_LAMBDA_INITIALIZATION_TYPE": "on-demand",
        "AWS_LAMBDA_LOG_GROUP_NAME": function.log_group,
        "AWS_LAMBDA_LOG_STREAM_NAME": place.log_stream,
        "AWS_LAMBDA_RUNTIME_API": place.runtime_api,
        "LAMBDA_RUNTIME_DIR": str(place.runtime),
        "LAMBDA_TASK_ROOT": str(place.code.task),
    }
