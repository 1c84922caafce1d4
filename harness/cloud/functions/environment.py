"""An execution environment: a place of its own in which a function's process runs, and runs again after it has ended.

LIMITATIONS: the place is a folder, not a machine: the process sees the file system and the network, /tmp is
where TMPDIR says, and nothing freezes it between invocations.
"""

import secrets
import sys
from collections.abc import Sequence
from datetime import UTC, datetime

from harness.cloud.backing.clients import Credentials
from harness.cloud.backing.functions import FunctionVersion
from harness.cloud.functions import payloads, reports
from harness.cloud.functions.code_store import Code
from harness.cloud.functions.function_log import FunctionLog
from harness.cloud.functions.output import OutputSplitter
from harness.cloud.functions.runtime_process import (
    Answer,
    InitFailed,
    Invocation,
    NotTaken,
    RuntimeProcess,
)
from harness.cloud.functions.tools import Tools
from harness.cloud.functions.variables import Place, variables
from harness.containers import opt_ml
from harness.containers.process_engine import ProcessContainer
from harness.containers.spec import ContainerSpec, Exit, LogLine, Program

# What /var/task and /opt are called in a function's own variables (AWS_LAMBDA_EXEC_WRAPPER).
_TASK, _OPT = "/var/task/", "/opt/"
_SHORTEST_SESSION = 2
# Processes that an event is offered to, if each is gone before it can take it.
_TRIES = 3


class Environment:
    """One environment of one version. Methods belong to the event loop."""

    def __init__(self, function: FunctionVersion, tools: Tools) -> None:
        self.function = function
        self.created = self.idle_since = tools.clock.now()
        self.retired = False
        """Its version will not be invoked again."""
        self._tools = tools
        self._folder = tools.folder / secrets.token_hex(8)
        today = datetime.now(UTC)
        self._stream = f"{today:%Y/%m/%d}/[{function.version}]{secrets.token_hex(16)}"
        self._log = FunctionLog(self._put, tools.limits.tail_bytes)
        self._credentials: Credentials | None = None
        self._process: RuntimeProcess | None = None
        self._stopped = False

    async def invoke(self, invocation: Invocation) -> Answer:
        """Have the function handle one event; a process is started if there is none."""
        for _ in range(_TRIES):
            process = self._process
            try:
                if process is None or process.ended:
                    process = await self._initialize()
                return await process.invoke(invocation, self.function.timeout)
            except NotTaken:
                if self._stopped:
                    break
            except InitFailed as failed:
                return await self._not_initialized(invocation, failed)
        killed = payloads.exited(invocation.request_id, Exit(signal=9))
        return Answer(killed.payload, failed=True)

    def tail(self) -> bytes:
        """The end of the log of the last invocation."""
        return self._log.tail()

    async def stop(self) -> None:
        """End the process and remove the place."""
        self._stopped = True
        if self._process is not None:
            await self._process.stop()
        await self._tools.in_thread(self._remove)

    async def _initialize(self) -> RuntimeProcess:
        process = self._process = RuntimeProcess(self.function, self._log, self._tools)
        limit = self._tools.limits.init_seconds + self.function.timeout
        await process.initialize(self._start, limit)
        return process

    async def _not_initialized(self, invocation: Invocation, failed: InitFailed) -> Answer:
        process, status, kind = self._process, failed.status, failed.kind
        assert process is not None
        assert process.init_milliseconds is not None
        report = reports.init_report(process.init_milliseconds, status, kind)

        def write() -> None:
            self._log.add(report)
            self._log.begin(invocation.request_id, self.function.version, None)
            self._log.complete(self.function.memory_size, 0, status=status, kind=kind)

        await self._tools.in_thread(write)
        return Answer(failed.payload(invocation.request_id), failed=True)

    # In threads.

    def _start(self, process: RuntimeProcess) -> ProcessContainer:
        """Start the program of a managed runtime."""
        tools, function = self._tools, self.function
        code = tools.code.unpack(function)
        bootstrap = tools.bootstrap()
        place = Place(
            code=code,
            runtime=bootstrap.parent,
            home=self._folder,
            temporary=self._folder / "tmp",
            log_stream=self._stream,
            runtime_api=process.api.address,
            endpoint_url=tools.endpoint_url(),
        )
        if self._credentials is None:
            place.temporary.mkdir(parents=True)
            name = function.name
            if len(name) < _SHORTEST_SESSION:
                name += "@lambda_function"
            self._credentials = tools.functions.open_session(function, name)
            self._log.add(reports.init_start(function.region), *_warnings(function))
        command = (sys.executable, "-S", str(bootstrap), str(code.opt))
        return tools.engine().start(
            ContainerSpec(
                name=f"function {function.name}",
                image=function.runtime or "",
                program=Program(arguments=(*_wrapper(function, code), *command)),
                command=function.handler or "",
                environment=variables(function, self._credentials, place),
                root=code.task,
                contract=False,
            ),
            process.print,
            OutputSplitter(),
        )

    def _remove(self) -> None:
        if self._credentials is not None:
            self._tools.functions.close_session(self._credentials)
            self._tools.logs.finish(*self._log_place)
        opt_ml.remove_tree(self._folder)

    def _put(self, lines: Sequence[LogLine]) -> None:
        self._tools.logs.put(*self._log_place, lines)

    @property
    def _log_place(self) -> tuple[str, str, str, str]:
        function = self.function
        return function.account, function.region, function.log_group, self._stream


def _wrapper(function: FunctionVersion, code: Code) -> tuple[str, ...]:
    """The program that AWS_LAMBDA_EXEC_WRAPPER puts in front of the runtime."""
    wrapper = dict(function.environment).get("AWS_LAMBDA_EXEC_WRAPPER")
    if not wrapper:
        return ()
    if wrapper.startswith(_TASK):
        return (str(code.task / wrapper.removeprefix(_TASK)),)
    if wrapper.startswith(_OPT):
        return (str(code.opt / wrapper.removeprefix(_OPT)),)
    return (wrapper,)


def _warnings(function: FunctionVersion) -> tuple[str, ...]:
    """What is different from AWS for this function."""
    own = f"python{sys.version_info.major}.{sys.version_info.minor}"
    if function.runtime in (None, own):
        return ()
    return (f"[local cloud: the function asks for {function.runtime} and runs on {own}]\n",)
