"""Who may call an API, and which functions an API may call, by the policies of both."""

from harness.cloud.apis.function_calls import FunctionCall
from harness.cloud.identity.authentication import Caller
from harness.cloud.identity.authorization import Authorizer, Need
from harness.cloud.identity.decisions import Decision
from harness.cloud.identity.function_permissions import INVOKE, FunctionPermissions
from harness.cloud.identity.principals import Principal
from harness.cloud.identity.store import Store

SERVICE = "apigateway.amazonaws.com"
INVOKE_API = "execute-api:Invoke"


class ApiPermissions:
    """Asks the policies, which is quick and waits for nothing."""

    def __init__(self, authorizer: Authorizer, store: Store) -> None:
        self._authorizer = authorizer
        self._store = store
        self._functions = FunctionPermissions(authorizer, store)

    def may_call(self, call: FunctionCall) -> bool:
        """Whether an API may call a function: by the function's policy, or as a role that it may assume."""
        arn, source = call.function.arn, call.source_arn
        if call.role is None:
            context = {"aws:SourceArn": source, "aws:SourceAccount": source.split(":")[4]}
            return self._functions.may_invoke(SERVICE, arn, context).allowed
        account = call.role.split(":")[4] if call.role.count(":") >= 5 else ""
        name = call.role.rpartition("/")[2]
        principal = Principal(
            arn=f"arn:aws:sts::{account}:assumed-role/{name}/BackplaneAssumeRoleSession",
            account=account,
            identity_arn=call.role,
        )
        need = Need(
            INVOKE,
            arn,
            resource_policy=self._store.function_policy(arn),
            owner=call.function.account,
        )
        return (
            self._authorizer.may_be_assumed(call.role, SERVICE, {})
            and self._authorizer.may(principal, need).allowed
        )

    def of_caller(
        self, caller: Caller, method_arn: str, policy: str | None, source_ip: str
    ) -> Decision:
        """Whether a signed request may call a method, by its signer's policies and the API's own."""
        return self._authorizer.may(
            caller.principal, self._need_of_call(method_arn, policy, source_ip)
        )

    def of_anyone(self, method_arn: str, policy: str, source_ip: str) -> Decision:
        """Whether a request without a signature may call a method of an API that has a policy."""
        anyone = Principal("anonymous", identity_arn=None)
        return self._authorizer.may(anyone, self._need_of_call(method_arn, policy, source_ip))

    @staticmethod
    def _need_of_call(method_arn: str, policy: str | None, source_ip: str) -> Need:
        return Need(
            INVOKE_API,
            method_arn,
            {"aws:SourceIp": source_ip},
            policy,
            method_arn.split(":")[4],
        )
