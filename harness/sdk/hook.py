"""Keeps the SDKs of a Python process with the local cloud, and shortens their polling.

Standard library only, old syntax on purpose: `harness exec` loads this file by path into other
virtual environments and other Python versions, and imports nothing that they would not import.
LIMITATIONS: a program that is not Python, or runs as `python -I`, sees only the environment
variables; names that uvloop resolves by itself are not refused.
"""

from __future__ import annotations

import importlib.machinery
import os
import sys
import threading
import time
from types import ModuleType
from typing import Any
from urllib.parse import urlsplit

#: Set to `on` by `harness exec`, `harness env` and the embedded target; else all of this is inert.
SWITCH = "HARNESS_SDK"
#: How many times quicker the SDK's polling runs; 1 leaves its sleeps and waiters as they are.
SPEED = "HARNESS_SDK_SPEED"
DEFAULT_SPEED = 300.0

# The shortest and the longest pause of a shortened sleep, in seconds: a poll costs milliseconds.
SHORTEST, LONGEST = 0.02, 0.1

AWS_SUFFIXES = (".amazonaws.com", ".amazonaws.com.cn", ".amazonaws.eu", ".api.aws")

# Modules whose loops compare `time.time()` with their own sleeps (a describe only every 30 s).
_CLOCKED = (
    "sagemaker.session",
    "sagemaker.core.helper.session_helper",
    "sagemaker.core.processing",
    "sagemaker.core.transformer",
)
_SDK_PACKAGES = ("sagemaker.", "sagemaker_core.")
_REAL_SLEEP = time.sleep
_MARK = "__harness_sdk__"


class AwsRefused(RuntimeError):
    """A program that is pointed at the local cloud tried to reach AWS itself."""


def enabled() -> bool:
    """True if this process is pointed at a local cloud."""
    return os.environ.get(SWITCH) == "on" and bool(os.environ.get("AWS_ENDPOINT_URL"))


def speed() -> float:
    """How many times quicker than on AWS the SDK polls; at least 1."""
    try:
        return max(1.0, float(os.environ.get(SPEED, DEFAULT_SPEED))) if enabled() else 1.0
    except ValueError:
        return DEFAULT_SPEED


def shortened(seconds: float) -> float:
    """What a pause of the SDK becomes: never longer, and never so short that polling is a load."""
    factor = speed()
    if factor == 1.0:
        return seconds
    return min(seconds, max(SHORTEST, min(seconds / factor, LONGEST)))


def is_aws(host: str | None) -> bool:
    """True for a host name of AWS's own."""
    name = (host or "").rstrip(".").lower()
    return name.endswith(AWS_SUFFIXES) or name in {suffix[1:] for suffix in AWS_SUFFIXES}


def refusal(host: str) -> str:
    """What is said to a program that tries to reach `host`."""
    return (
        f"this program is pointed at the local cloud at {os.environ.get('AWS_ENDPOINT_URL')}, so the"
        f" connection to {host} was refused. To reach AWS, run it outside `harness exec` (or unset"
        f" {SWITCH} and the AWS_* variables of `harness env`)."
    )


def install() -> None:
    """Patch what is imported already and whatever is imported later. May be called again."""
    if not any(hasattr(finder, _MARK) for finder in sys.meta_path):
        sys.meta_path.insert(0, _Finder())
    for name, module in list(sys.modules.items()):
        if module is not None and _is_ours(name):
            _patch(module, name)


class _Finder:
    """Finds what the other finders find, and has the modules that matter patched after they ran."""

    def __init__(self) -> None:
        setattr(self, _MARK, True)
        self._busy = threading.local()

    def find_spec(self, name: str, path: Any = None, target: Any = None) -> Any:
        searching = self._busy.__dict__.setdefault("names", set())
        if not _is_ours(name) or name in searching:
            return None
        searching.add(name)
        try:
            for finder in sys.meta_path:
                find = getattr(finder, "find_spec", None)
                spec = None if find is None or finder is self else find(name, path, target)
                if spec is not None:
                    if hasattr(spec.loader, "exec_module"):
                        spec.loader = _Loader(spec.loader)
                    return spec
            return None
        finally:
            searching.discard(name)


class _Loader:
    """Runs a module by its own loader, hands the loader back to it, and patches it."""

    def __init__(self, loader: Any) -> None:
        self._loader = loader

    def __getattr__(self, name: str) -> Any:
        return getattr(self._loader, name)

    def create_module(self, spec: importlib.machinery.ModuleSpec) -> Any:
        create = getattr(self._loader, "create_module", None)
        return None if create is None else create(spec)

    def exec_module(self, module: ModuleType) -> None:
        if module.__spec__ is not None:
            module.__spec__.loader = self._loader
        module.__loader__ = self._loader
        self._loader.exec_module(module)
        _patch(module, module.__name__)


def _is_ours(name: str) -> bool:
    return name in _PATCHES or name.startswith(_SDK_PACKAGES)


def _patch(module: ModuleType, name: str) -> None:
    patch = _PATCHES.get(name)
    if patch is not None:
        patch(module)
    if name.startswith(_SDK_PACKAGES):
        _shorten_sleeps(module, name)
        _replace(module, "validate_sagemaker_config", _validate_once)


def _replace(owner: Any, name: str, make: Any) -> None:
    """Put `make(original)` in the place of a function, once."""
    original = getattr(owner, name, None)
    if original is None or hasattr(original, _MARK):
        return
    replacement = make(original)
    setattr(replacement, _MARK, original)
    replacement.__name__ = getattr(original, "__name__", name)
    replacement.__qualname__ = getattr(original, "__qualname__", name)
    replacement.__doc__ = original.__doc__
    replacement.__module__ = original.__module__
    setattr(owner, name, replacement)


# --- botocore

# create_client(self, service_name, region_name, api_version, use_ssl, verify, endpoint_url, ...)
_ENDPOINT_URL_POSITION = 5


def _patch_session(module: ModuleType) -> None:
    def make(create_client: Any) -> Any:
        def replacement(self: Any, *args: Any, **kwargs: Any) -> Any:
            # The SDK gives STS its regional URL, which beats AWS_ENDPOINT_URL (docs/notes/sdk.md).
            if enabled():
                if is_aws(_host(kwargs.get("endpoint_url"))):
                    kwargs["endpoint_url"] = None
                before, given = args[:_ENDPOINT_URL_POSITION], args[_ENDPOINT_URL_POSITION:]
                if given and is_aws(_host(given[0])):
                    args = (*before, None, *given[1:])
            return create_client(self, *args, **kwargs)

        return replacement

    _replace(module.Session, "create_client", make)


def _patch_httpsession(module: ModuleType) -> None:
    def make(send: Any) -> Any:
        def replacement(self: Any, request: Any) -> Any:
            host = _host(request.url)
            if enabled() and is_aws(host):
                raise AwsRefused(refusal(str(host)))
            return send(self, request)

        return replacement

    _replace(module.URLLib3Session, "send", make)


def _patch_waiter(module: ModuleType) -> None:
    def make(wait: Any) -> Any:
        def replacement(self: Any, **kwargs: Any) -> Any:
            if speed() > 1.0:
                config = dict(kwargs.get("WaiterConfig") or {})
                delay = float(config.get("Delay", self.config.delay))
                attempts = int(config.get("MaxAttempts", self.config.max_attempts))
                pause = shortened(delay)
                if 0 < pause < delay:
                    # As patient as before: the same time in all, in shorter steps.
                    config.update(Delay=pause, MaxAttempts=int(attempts * delay / pause))
                    kwargs["WaiterConfig"] = config
            return wait(self, **kwargs)

        return replacement

    _replace(module.Waiter, "wait", make)


def _host(url: Any) -> str | None:
    return urlsplit(url).hostname if isinstance(url, str) else None


# --- everything that resolves a name


def _patch_socket(module: ModuleType) -> None:
    def make(getaddrinfo: Any) -> Any:
        def replacement(host: Any, *args: Any, **kwargs: Any) -> Any:
            name = host.decode("ascii", "replace") if isinstance(host, bytes) else host
            if isinstance(name, str) and enabled() and is_aws(name):
                raise module.gaierror(module.EAI_FAIL, refusal(name))
            return getaddrinfo(host, *args, **kwargs)

        return replacement

    _replace(module, "getaddrinfo", make)


# --- the SDKs' own sleeps


class _Time(ModuleType):
    """The module `time` as the SDK sees it: `sleep` is short, everything else is the real one."""

    def __getattr__(self, name: str) -> Any:
        return getattr(time, name)

    @staticmethod
    def sleep(seconds: float) -> None:
        _REAL_SLEEP(shortened(seconds))


class _QuickTime(_Time):
    """The same, and `time()` runs as much quicker as the sleeps."""

    def __init__(self, name: str) -> None:
        super().__init__(name)
        self._start = time.time()

    def time(self) -> float:
        return self._start + (time.time() - self._start) * speed()


def _shorten_sleeps(module: ModuleType, name: str) -> None:
    if vars(module).get("time") is time:
        vars(module)["time"] = (_QuickTime if name in _CLOCKED else _Time)("time")
    if vars(module).get("sleep") is _REAL_SLEEP:
        vars(module)["sleep"] = _Time.sleep


# Configurations that the SDK found valid, as text.
_VALID: set[str] = set()


def _validate_once(validate: Any) -> Any:
    """The SDK validates its whole configuration, a tenth of a second, each time it looks up a default."""

    def replacement(sagemaker_config: Any = None) -> Any:
        if speed() == 1.0:
            return validate(sagemaker_config)
        import json

        text = json.dumps(sagemaker_config, sort_keys=True, default=repr)
        if text not in _VALID:
            validate(sagemaker_config)
            _VALID.add(text)
        return None

    return replacement


def _patch_sagemaker_session(module: ModuleType) -> None:
    def make(logs_for_job: Any) -> Any:
        def replacement(*args: Any, **kwargs: Any) -> Any:
            # The loop reads its time-out off the quickened clock: give it as many seconds more.
            position = 5
            if len(args) > position and args[position]:
                args = (*args[:position], args[position] * speed(), *args[position + 1 :])
            elif kwargs.get("timeout"):
                kwargs["timeout"] = kwargs["timeout"] * speed()
            return logs_for_job(*args, **kwargs)

        return replacement

    _replace(module, "_logs_for_job", make)


_PATCHES = {
    "botocore.session": _patch_session,
    "botocore.httpsession": _patch_httpsession,
    "botocore.waiter": _patch_waiter,
    "socket": _patch_socket,
    "sagemaker.session": _patch_sagemaker_session,
    "sagemaker.core.helper.session_helper": _patch_sagemaker_session,
}
