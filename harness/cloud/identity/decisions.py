"""May somebody do something: every policy that applies, taken together.

https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_evaluation-logic_policy-eval-denyallow.html
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from harness.cloud.identity.policies import Policy, Question
from harness.cloud.identity.principals import Reach

IDENTITY = "identity-based policy"
BOUNDARY = "permissions boundary"
SESSION = "session policy"
RESOURCE = "resource-based policy"


@dataclass(frozen=True)
class Policies:
    """The policies that apply to a question; None where there is no boundary, session or resource policy.

    `same_account`: whether the resource belongs to the principal's account.
    """

    identity: Sequence[Policy] = ()
    boundary: Policy | None = None
    session: Policy | None = None
    resource: Policy | None = None
    same_account: bool = True


@dataclass(frozen=True)
class Decision:
    """The answer. If it is no: the kind of policy that denies or that fails to allow, and whether by a Deny."""

    allowed: bool
    kind: str = ""
    explicit: bool = False


ALLOWED = Decision(True)


def decide(question: Question, policies: Policies) -> Decision:
    """A Deny anywhere decides; without one every kind of policy that applies must allow it.

    In one account the resource's policy can stand in for the identity's, and for its limits too if it names
    the user or the session itself.
    """
    for kind, policy in _all(policies):
        if policy.denies(question):
            return Decision(False, kind, explicit=True)
    reach = policies.resource.allows(question) if policies.resource else Reach.NONE
    if question.principal.is_service:
        return ALLOWED if reach is Reach.DIRECT else Decision(False, RESOURCE)
    if policies.same_account and reach is Reach.DIRECT:
        return ALLOWED
    granted = policies.same_account and reach is Reach.ROLE
    if not granted and not any(policy.allows(question) for policy in policies.identity):
        return Decision(False, IDENTITY)
    if not policies.same_account and reach is Reach.NONE:
        return Decision(False, RESOURCE)
    for kind, limit in ((BOUNDARY, policies.boundary), (SESSION, policies.session)):
        if limit is not None and not limit.allows(question):
            return Decision(False, kind)
    return ALLOWED


def _all(policies: Policies) -> Iterator[tuple[str, Policy]]:
    for policy in policies.identity:
        yield IDENTITY, policy
    for kind, one in (
        (RESOURCE, policies.resource),
        (BOUNDARY, policies.boundary),
        (SESSION, policies.session),
    ):
        if one is not None:
            yield kind, one
