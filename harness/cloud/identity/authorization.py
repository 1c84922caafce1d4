"""Whether callers, roles and services may do what they ask for, and AWS's words if they may not.

LIMITATIONS: no organizations (SCPs, RCPs), no VPC endpoint policies. A role that IAM has never had is not
checked: examples are full of made-up ones.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime

from harness.cloud.errors import AwsError
from harness.cloud.identity.decisions import ALLOWED, IDENTITY, Decision, Policies, decide
from harness.cloud.identity.matching import Context
from harness.cloud.identity.policies import Kind, Policy, Question, policy
from harness.cloud.identity.principals import Principal, Reach
from harness.cloud.identity.store import Identity, Store


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

    def check(self, principal: Principal, needs: Iterable[Need]) -> None:
        """Raise AccessDeniedException unless `principal` has all that is needed."""
        if principal.administrator or not self.enforced:
            return
        for need in needs:
            decision = self.may(principal, need)
            if not decision.allowed:
                raise AwsError("AccessDeniedException", refusal(principal.arn, need, decision))

    def may(self, principal: Principal, need: Need) -> Decision:
        """Whether `principal` may do what `need` says."""
        if principal.administrator or not self.enforced:
            return ALLOWED
        resource_policy = _optional(need.resource_policy, Kind.RESOURCE)
        if principal.is_service:
            return decide(self._question(principal, None, need), Policies(resource=resource_policy))
        assert principal.identity_arn is not None, "a caller that is no service has an identity"
        identity = self._store.identity(principal.identity_arn)
        if identity is None:
            return ALLOWED if principal.is_session else Decision(False, IDENTITY)
        return decide(
            self._question(principal, identity, need),
            Policies(
                identity=[policy(document) for document in identity.documents],
                boundary=_optional(identity.boundary, Kind.IDENTITY),
                session=_optional(principal.session_policy, Kind.IDENTITY),
                resource=resource_policy,
                same_account=need.owner in (None, principal.account),
            ),
        )

    def may_be_assumed(self, role_arn: str, service: str, need_context: Mapping[str, str]) -> bool:
        """Whether the trust policy of the role lets `service` assume it."""
        identity = self._store.identity(role_arn) if self.enforced else None
        if identity is None or identity.trust is None:
            return True
        question = self._question(
            Principal(service), None, Need("sts:AssumeRole", role_arn, need_context)
        )
        trust = policy(identity.trust, Kind.TRUST)
        return not trust.denies(question) and trust.allows(question) is Reach.DIRECT

    def _question(self, principal: Principal, identity: Identity | None, need: Need) -> Question:
        now = self._now()
        context: dict[str, tuple[str, ...]] = {
            "aws:currenttime": (now.strftime("%Y-%m-%dT%H:%M:%SZ"),),
            "aws:epochtime": (str(int(now.timestamp())),),
            # Plain HTTP on loopback stands for the TLS that SDKs speak with AWS.
            "aws:securetransport": ("true",),
            "aws:viaawsservice": ("false",),
        }
        if identity is not None:
            context.update(_of_identity(principal, identity))
        for key, value in need.context.items():
            context[key.lower()] = (value,) if isinstance(value, str) else tuple(value)
        return Question(principal, need.action, need.resource, context)


def _of_identity(principal: Principal, identity: Identity) -> Context:
    context: dict[str, tuple[str, ...]] = {
        "aws:principalarn": (principal.identity_arn or principal.arn,),
        "aws:principalaccount": (principal.account,),
        "aws:principalisawsservice": ("false",),
        "aws:principaltype": ("AssumedRole" if principal.is_session else "User",),
    }
    if principal.is_session:
        session = principal.arn.rpartition("/")[2]
        context["aws:userid"] = (f"{identity.unique_id}:{session}",)
        context["aws:multifactorauthpresent"] = ("false",)
    else:
        context["aws:userid"] = (identity.unique_id,)
    if identity.name is not None:
        context["aws:username"] = (identity.name,)
    for key, value in identity.tags.items():
        context[f"aws:principaltag/{key.lower()}"] = (value,)
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
