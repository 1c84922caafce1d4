"""The local cloud: everything that one process and one port need, made together and closed together."""

import shutil
import tempfile
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path
from typing import Self

from harness.cloud.apis.data_plane import DataPlane
from harness.cloud.apis.lambda_calls import calls_of
from harness.cloud.apis.limits import ApiLimits
from harness.cloud.apis.moto_corrections import corrected
from harness.cloud.apis.permissions import ApiPermissions
from harness.cloud.apis.state import MotoApiState
from harness.cloud.app import App, ControlPlane
from harness.cloud.backing.alarms import MotoAlarms
from harness.cloud.backing.clients import Clients, Credentials
from harness.cloud.backing.functions import MotoFunctions
from harness.cloud.backing.logs import MotoLogs
from harness.cloud.backing.moto_identities import MotoIdentities
from harness.cloud.backing.moto_services import PRESERVED_NAMES_KEY, MotoServices
from harness.cloud.backing.role_access import RoleAccess
from harness.cloud.backing.wsgi import WsgiMount
from harness.cloud.clock import Clock, SystemClock
from harness.cloud.functions.invocations import FunctionInvocations
from harness.cloud.functions.limits import Settings
from harness.cloud.functions.service import FunctionService
from harness.cloud.identity.administrators import find_administrator
from harness.cloud.identity.authentication import Authenticator
from harness.cloud.identity.authorization import Authorizer
from harness.cloud.identity.function_permissions import FunctionPermissions
from harness.cloud.identity.keys import Key
from harness.cloud.runtime.invocations import Invocations
from harness.cloud.runtime.limits import Limits
from harness.cloud.runtime.router import Router
from harness.cloud.sagemaker import operations
from harness.cloud.sagemaker.pace import Pace
from harness.cloud.sagemaker.permissions import Permissions
from harness.cloud.sagemaker.service import SageMaker
from harness.cloud.server import Server, bind
from harness.containers.images import Images
from harness.containers.process_engine import ProcessEngine
from harness.containers.spec import Engine

CONTROL_PLANE_THREADS = 16
MOTO_THREADS = 8
API_THREADS = 8


class CloudAlreadyRunning(RuntimeError):
    """This process has a local cloud already; moto's state is global, so there can be one."""


class LocalCloud:
    """SageMaker and the services around it on one port of this machine.

    `host` is loopback unless told otherwise, `port` 0 takes a free one. `clock` drives the timers and
    timestamps of resources, `images` knows what an image is here, `pace` how long phases take, `engine`
    makes what runs containers, given the folder that goes with the cloud, `functions` tells how Lambda
    functions are run. `enforce_iam`: whether the policies of users and roles decide what they may do;
    administrators may do everything.
    Raises CloudAlreadyRunning for a second one in a process, OSError if the port is taken.
    """

    _one = threading.Lock()

    def __init__(
        self,
        host: str = "127.0.0.1",
        port: int = 0,
        *,
        clock: Clock | None = None,
        images: Images | None = None,
        pace: Pace | None = None,
        limits: Limits | None = None,
        api_limits: ApiLimits | None = None,
        functions: Settings | None = None,
        engine: Callable[[Path], Engine] = lambda folder: ProcessEngine(scratch=folder),
        enforce_iam: bool = True,
    ) -> None:
        self._host, self._port = host, port
        self.clock = clock or SystemClock()
        self._images = images or Images()
        self._pace = pace or Pace()
        self._limits = limits or Limits.current()
        self._api_limits = api_limits or ApiLimits.current()
        self._function_settings = functions or Settings()
        self._make_engine = engine
        self._enforce_iam = enforce_iam
        self._closing = threading.Lock()
        self._running = False

    def start(self) -> Self:
        """Accept requests; returns when the first one can be sent."""
        if not LocalCloud._one.acquire(blocking=False):
            raise CloudAlreadyRunning("this process already runs a local cloud")
        try:
            self._listener = bind(self._host, self._port)
        except BaseException:
            LocalCloud._one.release()
            raise
        self._folder = Path(tempfile.mkdtemp(prefix="harness-cloud-"))
        (self._folder / "objects").mkdir()
        self._engine = self._make_engine(self._folder)
        services = self.services = MotoServices(self._folder / "objects")
        self._identities = MotoIdentities()
        self.authorizer = Authorizer(self._identities, enforced=self._enforce_iam)
        self._pool = ThreadPoolExecutor(CONTROL_PLANE_THREADS, "control-plane")
        self._moto_pool = ThreadPoolExecutor(MOTO_THREADS, "moto")
        self._api_pool = ThreadPoolExecutor(API_THREADS, "apis")
        self._clients = Clients(
            lambda: self.url,
            Credentials("test", "test"),
            RoleAccess(self.authorizer, self._identities),
        )
        self.router = Router()
        self.sagemaker = SageMaker(
            clock=self.clock,
            engine=self._engine,
            images=self._images,
            backing=self._clients,
            logs=MotoLogs(services),
            alarms=MotoAlarms(services),
            router=self.router,
            pace=self._pace,
            state_dir=self._folder,
            on_fault=lambda error: self.app.fault(error),
        )

        def find_key(access_key_id: str) -> Key | None:
            return find_administrator(access_key_id) or self._identities.find_key(access_key_id)

        authenticator = Authenticator(find_key)
        self.functions = FunctionService(
            functions=MotoFunctions(services),
            logs=MotoLogs(services, form=str),
            clock=self.clock,
            settings=self._function_settings,
            folder=self._folder / "functions",
            scratch=self._folder,
            endpoint_url=lambda: self.url,
            on_fault=lambda error: self.app.fault(error),
        )
        self._apis = self._make_apis(authenticator)
        permissions = Permissions(self.authorizer, self.sagemaker.tags_of)
        self.app = App(
            ControlPlane(
                permissions.check,
                operations.delegated,
                partial(operations.perform, self.sagemaker),
            ),
            Invocations(self.router, authenticator, self._limits, permissions.check_invocation),
            FunctionInvocations(
                self.functions,
                authenticator,
                FunctionPermissions(self.authorizer, self._identities).check,
            ),
            self._apis,
            authenticator,
            services,
            WsgiMount(
                corrected(services.application),
                services.lock,
                self._moto_pool,
                PRESERVED_NAMES_KEY,
            ),
            self._pool,
            self.reset,
        )
        self._server = Server(self.app, self._listener)
        self._running = True
        try:
            self._server.start()
        except BaseException:
            self.close()
            raise
        return self

    def _make_apis(self, authenticator: Authenticator) -> DataPlane:
        return DataPlane(
            MotoApiState(self.services),
            calls_of(self.functions),
            authenticator,
            ApiPermissions(self.authorizer, self._identities),
            self.clock,
            self._api_limits,
            self._api_pool,
        )

    @property
    def port(self) -> int:
        """The port that it listens on."""
        port: int = self._listener.getsockname()[1]
        return port

    @property
    def url(self) -> str:
        """The endpoint URL for SDKs on this machine."""
        host = self._host if self._host not in ("0.0.0.0", "::") else "127.0.0.1"
        return f"http://{host}:{self.port}"

    def client(self, service: str, region: str = "us-east-1") -> object:
        """A boto3 client of this cloud, with administrator's keys."""
        return self._clients.client(service, region)

    def reset(self) -> None:
        """End every job, endpoint and function and forget everything, in all services."""
        self.sagemaker.reset()
        self.functions.reset()
        self.services.reset()
        self._identities.forget()
        self._clients.forget_roles()
        self._apis.reset()

    def close(self) -> None:
        """End everything: endpoints, jobs, functions, child processes, the port, the folder."""
        with self._closing:
            if not self._running:
                return
            self._running = False
            try:
                self.sagemaker.close()
                self.functions.close()
                self._server.stop()
                self._engine.close()
                self._clients.close()
                self._pool.shutdown()
                self._moto_pool.shutdown()
                self._api_pool.shutdown()
                self.clock.close()
                self.services.close()
            finally:
                shutil.rmtree(self._folder, ignore_errors=True)
                LocalCloud._one.release()

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(self, *exc_info: object) -> None:
        self.close()
