"""Who may invoke a function: by the policies of whoever asks, and by the function's own, which AddPermission writes."""

from collections.abc import Mapping

from harness.cloud.identity.authentication import Caller
from harness.cloud.identity.authorization import Authorizer, Need
from harness.cloud.identity.decisions import Decision
from harness.cloud.identity.principals import Principal
from harness.cloud.identity.store import Store

INVOKE = "lambda:InvokeFunction"


class FunctionPermissions:
    """Asks the policies. An ARN is that of a function, or of the version or alias that was asked for."""

    def __init__(self, authorizer: Authorizer, store: Store) -> None:
        self._authorizer = authorizer
        self._store = store

    def check(self, caller: Caller, action: str, arn: str) -> None:
        """Raise AccessDeniedException unless the caller may do this to the function."""
        if not self._authorizer.trusts(caller.principal):
            self._authorizer.check(caller.principal, [self._need(action, arn, {})])

    def may_invoke(self, service: str, arn: str, context: Mapping[str, str]) -> Decision:
        """Whether a service of AWS's may invoke it; `context` says for whom (`aws:SourceArn`, `aws:SourceAccount`)."""
        return self._authorizer.may(Principal(service), self._need(INVOKE, arn, context))

    def _need(self, action: str, arn: str, context: Mapping[str, str]) -> Need:
        return Need(
            action,
            arn,
            context,
            resource_policy=self._store.function_policy(arn),
            owner=arn.split(":")[4],
        )
