"""The data plane's way to this cloud's Lambda service."""

import uuid

from harness.cloud.apis.function_calls import (
    CallFunction,
    FunctionAnswer,
    FunctionCall,
    FunctionRefused,
)
from harness.cloud.apis.refusals import NotHere
from harness.cloud.errors import AwsError
from harness.cloud.functions.names import FunctionName
from harness.cloud.functions.service import FunctionService

# The error of functions that no process here can run.
_NOT_HERE = "UnsupportedOperation"
_UNHANDLED = "Unhandled"


def calls_of(service: FunctionService) -> CallFunction:
    """Calls of the functions that `service` runs."""

    async def call(call: FunctionCall) -> FunctionAnswer:
        function = call.function
        name = FunctionName(function.account, function.region, function.name, function.qualifier)
        request_id = str(uuid.uuid4())
        try:
            if call.asynchronous:
                await service.submit(name, call.payload, request_id)
                return FunctionAnswer(b"")
            outcome = await service.invoke(name, call.payload, request_id)
        except AwsError as error:
            if error.code == _NOT_HERE:
                raise NotHere(error.message) from None
            raise FunctionRefused(f"{error.code}: {error.message}") from None
        return FunctionAnswer(outcome.payload, _UNHANDLED if outcome.failed else None)

    return call
