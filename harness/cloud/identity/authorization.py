"""Whether callers, roles and services may do what they ask for, and AWS's words if they may not.

LIMITATIONS: no organizations (SCPs, RCPs), no VPC endpoint policies. A role that IAM has never had is not
checked: examples are full of made-up ones.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from harness.cloud.errors import AwsError
from harness.cloud.http import Scope
from harness.cloud.identity.authentication import Caller
from harness.cloud.identity.decisions import ALLOWED, IDENTITY, Decision, Policies, decide
from harness.cloud.identity.policies import Kind, Policy, Question, policy
from harness.cloud.identity.principals import Principal, Reach
from harness.cloud.identity.store import Identity, Store

# Raises AwsError if the caller may not do this operation with this request.
Authorize = Callable[[Caller, str, Mapping[str, Any], Scope], None]


@dataclass(frozen=True)
class Need:
    """One permission that a request needs: an action on a resource (`*` where there is none in particular).

    `context` has what the request says, by condition key. `resource_policy` is the policy of the resource,
    if it has one, and `owner` the account that it belongs to, if it may be another's.
    """

    action: str
    resource: str = "*"
    context: Mapping[str, str | Iterable[str]] = field(default_factory=dict)
    resource_policy: str | None = None
    owner: str | None = None


class Authorizer:
    """Decides by the policies in `store`; if not `enforced`, everybody may do everything."""

    def __init__(
        self,
        store: Store,
        *,
        enforced: bool = True,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self._store = store
        self.enforced = enforced
        self._now = now

    def trusts(self, principal: Principal) -> bool:
        """Whether it may do everything without being asked."""
        return principal.administrator or not self.enforced

    def check(
        self,
        principal: Principal,
        needs: Iterable[Need],
        circumstances: Mapping[str, str] | None = None,
    ) -> None:
        """Raise AccessDeniedException unless `principal` has all that is needed."""
        if self.trusts(principal):
            return
        for need in needs:
            decision = self.may(principal, need, circumstances)
            if not decision.allowed:
                raise AwsError("AccessDeniedException", refusal(principal.arn, need, decision))

    def may(
        self, principal: Principal, need: Need, circumstances: Mapping[str, str] | None = None
    ) -> Decision:
        """Whether `principal` may do what `need` says; `circumstances` are the request's own condition keys."""
        if self.trusts(principal):
            return ALLOWED
        context = {**(circumstances or {}), **need.context}
        resource_policy = _optional(need.resource_policy, Kind.RESOURCE)
        if principal.is_service:
            return decide(
                self._question(principal, need, context), Policies(resource=resource_policy)
            )
        assert principal.identity_arn is not None, "a caller that is no service has an identity"
        identity = self._store.identity(principal.identity_arn)
        if identity is None:
            return ALLOWED if principal.is_session else Decision(False, IDENTITY)
        return decide(
            self._question(principal, need, {**_of_identity(principal, identity), **context}),
            Policies(
                identity=[policy(document) for document in identity.documents],
                boundary=_optional(identity.boundary, Kind.IDENTITY),
                session=_optional(principal.session_policy, Kind.IDENTITY),
                resource=resource_policy,
                same_account=need.owner in (None, principal.account),
            ),
        )

    def may_be_assumed(
        self, role_arn: str, service: str, context: Mapping[str, str] | None = None
    ) -> bool:
        """Whether the trust policy of the role lets `service` assume it."""
        identity = self._store.identity(role_arn) if self.enforced else None
        if identity is None or identity.trust is None:
            return True
        need = Need("sts:AssumeRole", role_arn)
        question = self._question(Principal(service), need, context or {})
        trust = policy(identity.trust, Kind.TRUST)
        return not trust.denies(question) and trust.allows(question) is Reach.DIRECT

    def _question(
        self, principal: Principal, need: Need, context: Mapping[str, str | Iterable[str]]
    ) -> Question:
        now = self._now()
        known: dict[str, str | Iterable[str]] = {
            "aws:CurrentTime": now.strftime("%Y-%m-%dT%H:%M:%SZ"),
            "aws:EpochTime": str(int(now.timestamp())),
            "aws:ViaAWSService": "false",
            **context,
        }
        values = {
            key.lower(): (value,) if isinstance(value, str) else tuple(value)
            for key, value in known.items()
        }
        return Question(principal, need.action, need.resource, values)


def circumstances(scope: Scope, region: str) -> dict[str, str]:
    """The condition keys of an ASGI request, whatever it asks for."""
    found = {
        "aws:RequestedRegion": region,
        # Plain HTTP on loopback stands for the TLS that SDKs speak with AWS.
        "aws:SecureTransport": "true",
        "aws:SourceIp": (scope.get("client") or ("127.0.0.1",))[0],
    }
    for name, value in scope["headers"]:
        if name == b"user-agent":
            found["aws:UserAgent"] = value.decode("latin-1")
        elif name == b"referer":
            found["aws:Referer"] = value.decode("latin-1")
    return found


def _of_identity(principal: Principal, identity: Identity) -> dict[str, str]:
    context = {
        "aws:PrincipalArn": principal.identity_arn or principal.arn,
        "aws:PrincipalAccount": principal.account,
        "aws:PrincipalIsAWSService": "false",
        "aws:PrincipalType": "AssumedRole" if principal.is_session else "User",
        "aws:userid": identity.unique_id,
    }
    if principal.is_session:
        context["aws:userid"] += ":" + principal.arn.rpartition("/")[2]
        context["aws:MultiFactorAuthPresent"] = "false"
    if identity.name is not None:
        context["aws:username"] = identity.name
    context.update({f"aws:PrincipalTag/{key}": value for key, value in identity.tags.items()})
    return context


def _optional(document: str | None, kind: Kind) -> Policy | None:
    return None if document is None else policy(document, kind)


def refusal(principal_arn: str, need: Need, decision: Decision) -> str:
    """What AWS says to a caller who may not (docs/notes/permissions.md, "Refusals")."""
    where = "" if need.resource == "*" else f" on resource: {need.resource}"
    article = "an" if decision.kind == IDENTITY else "a"
    why = (
        f"with an explicit deny in {article} {decision.kind}"
        if decision.explicit
        else f"because no {decision.kind} allows the {need.action} action"
    )
    return f"User: {principal_arn} is not authorized to perform: {need.action}{where} {why}"
