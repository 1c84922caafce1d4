"""Each condition operator, with its qualifiers."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.cloud.identity.conditions import UnknownOperator, condition
from tests.cloud.identity.reference import contexts

OPERATORS = "https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_condition_operators.html"
SETS = (
    "https://docs.aws.amazon.com/IAM/latest/UserGuide/"
    "reference_policies_condition-single-vs-multi-valued-context-keys.html"
)


def holds(operator: str, wanted: str | list[str], *values: str, **others: str) -> bool:
    """Whether a key `k:key` with these values meets a condition; `others` are keys beside it."""
    context: dict[str, tuple[str, ...]] = {
        key.replace("__", ":"): (value,) for key, value in others.items()
    }
    if values:
        context["k:key"] = values
    texts = [wanted] if isinstance(wanted, str) else wanted
    return condition(operator, "K:Key", texts, variables=True).holds(context)


@pytest.mark.documented(OPERATORS)
@pytest.mark.parametrize(
    ("operator", "wanted", "value", "met"),
    [
        ("StringEquals", "iamuser-admin", "iamuser-admin", True),
        ("StringEquals", "iamuser-admin", "dev-ops", False),
        ("StringEquals", "a", "A", False),
        ("StringEquals", "a*", "ab", False),
        ("StringEqualsIgnoreCase", "preprod", "PreProd", True),
        ("StringNotEquals", "a", "b", True),
        ("StringNotEqualsIgnoreCase", "a", "A", False),
        ("StringLike", "t1.*", "t1.micro", True),
        ("StringLike", "t?.micro", "t1.micro", True),
        ("StringLike", "T1.*", "t1.micro", False),
        ("StringNotLike", "t1.*", "m2.micro", True),
        ("NumericEquals", "10", "10.0", True),
        ("NumericNotEquals", "10", "11", True),
        ("NumericLessThan", "10", "9.5", True),
        ("NumericLessThan", "10", "10", False),
        ("NumericLessThanEquals", "10", "10", True),
        ("NumericGreaterThan", "10", "1e1", False),
        ("NumericGreaterThanEquals", "10", "1e1", True),
        ("DateGreaterThan", "2020-01-01T00:00:01Z", "2026-11-21T00:00:00Z", True),
        ("DateGreaterThan", "2020", "2019-12-31T23:59:59Z", False),
        ("DateLessThan", "2020-02", "2020-01-31", True),
        ("DateLessThanEquals", "2020-01-01", "2020-01-01T01:00:00+01:00", True),
        ("DateEquals", "1577836800", "2020-01-01T00:00:00Z", True),
        ("DateNotEquals", "2020-01-01", "2020-01-02", True),
        ("DateGreaterThanEquals", "2020-01-01", "1577836799.5", False),
        ("Bool", "true", "true", True),
        ("Bool", "True", "true", True),
        ("Bool", "false", "true", False),
        ("BinaryEquals", "QmluYXJ5VmFsdWVJbkJhc2U2NA==", "QmluYXJ5VmFsdWVJbkJhc2U2NA==", True),
        ("BinaryEquals", "QmluYXJ5VmFsdWVJbkJhc2U2NA==", "QUJD", False),
        ("IpAddress", "203.0.113.0/24", "203.0.113.1", True),
        ("IpAddress", "203.0.113.0/24", "198.51.100.1", False),
        ("IpAddress", "203.0.113.7", "203.0.113.7", True),
        ("IpAddress", "2001:DB8:1234:5678::/64", "2001:db8:1234:5678::9", True),
        ("IpAddress", "2001:DB8:1234:5678::/64", "203.0.113.1", False),
        ("NotIpAddress", "203.0.113.0/24", "198.51.100.1", True),
        ("ArnEquals", "arn:aws:sns:us-west-2:1:T", "arn:aws:sns:us-west-2:1:T", True),
        ("ArnEquals", "arn:aws:sns:*:1:T*", "arn:aws:sns:us-west-2:1:T-ID", True),
        ("ArnLike", "arn:aws:sns:us-west-2:1:T", "arn:aws:sns:us-west-2:7:T", False),
        ("ArnLike", "arn:aws:sns:us*", "arn:aws:sns:us-west-2:1:T", False),
        ("ArnLike", "arn:aws:lambda:*:1:function:a", "arn:aws:lambda:x:1:function:a", True),
        ("ArnNotLike", "arn:aws:sns:*:1:*", "arn:aws:sns:us-west-2:7:T", True),
        ("ArnNotEquals", "arn:aws:sns:*:1:*", "arn:aws:sns:us-west-2:1:T", False),
    ],
)
def test_an_operator_compares(operator: str, wanted: str, value: str, met: bool) -> None:
    """A value of a request against one of a policy."""
    assert holds(operator, wanted, value) == met


@pytest.mark.documented(OPERATORS)
@pytest.mark.parametrize(
    ("operator", "wanted"),
    [
        ("StringEquals", "a"),
        ("StringLike", "*"),
        ("NumericLessThan", "10"),
        ("DateGreaterThan", "2020-01-01"),
        ("Bool", "false"),
        ("BinaryEquals", ""),
        ("IpAddress", "0.0.0.0/0"),
        ("ArnLike", "arn:*:*:*:*:*"),
    ],
)
def test_an_absent_key_equals_nothing(operator: str, wanted: str) -> None:
    """Without the key the condition is false, unless it is put in the negative or begins with IfExists."""
    assert not holds(operator, wanted)
    assert holds(f"{operator}IfExists", wanted)


@pytest.mark.documented(OPERATORS)
@pytest.mark.parametrize(
    "operator",
    ["StringNotEquals", "StringNotEqualsIgnoreCase", "StringNotLike", "ArnNotEquals", "ArnNotLike",
     "NumericNotEquals", "DateNotEquals", "NotIpAddress"],
)  # fmt: skip
def test_an_absent_key_differs_from_everything(operator: str) -> None:
    """A negated operator is true without the key, with IfExists or without."""
    assert holds(operator, "1")
    assert holds(f"{operator}IfExists", "1")


@pytest.mark.documented(OPERATORS)
def test_values_of_a_policy_are_alternatives() -> None:
    """One of them is enough; of a negated operator none may match."""
    assert holds("StringEquals", ["a", "b"], "b")
    assert not holds("StringNotEquals", ["a", "b"], "b")
    assert holds("StringNotEquals", ["a", "b"], "c")


@pytest.mark.documented(OPERATORS)
def test_null_asks_for_presence() -> None:
    """`true` wants the key absent, `false` wants it there."""
    assert holds("Null", "true")
    assert not holds("Null", "false")
    assert holds("Null", "false", "x")
    assert not holds("Null", "true", "x")


@pytest.mark.documented(SETS)
@pytest.mark.parametrize(
    ("keys", "every", "some"),
    [
        (("environment",), True, True),
        (("environment", "cost-center"), True, True),
        (("environment", "dept"), False, True),
        (("dept",), False, False),
        ((), True, False),
    ],
)
def test_a_set_is_held_against_a_set(keys: tuple[str, ...], every: bool, some: bool) -> None:
    """ForAllValues wants every value of the request in the policy, ForAnyValue one; without any, as documented."""
    wanted = ["environment", "cost-center"]
    assert holds("ForAllValues:StringEquals", wanted, *keys) == every
    assert holds("ForAnyValue:StringEquals", wanted, *keys) == some
    # An empty text is a set without members.
    assert holds("ForAllValues:StringEquals", wanted, "")


@pytest.mark.documented(OPERATORS)
def test_a_negated_set() -> None:
    """ForAllValues lets no value match, ForAnyValue wants one that does not."""
    assert not holds("ForAllValues:StringNotEquals", "a", "a", "b")
    assert holds("ForAllValues:StringNotEquals", "a", "b", "c")
    assert holds("ForAnyValue:StringNotEquals", "a", "a", "b")
    assert not holds("ForAnyValue:StringNotEquals", "a", "a")
    assert not holds("ForAnyValue:StringNotEquals", "a")
    assert holds("ForAnyValue:StringNotEqualsIfExists", "a")
    assert holds("ForAllValues:StringNotEquals", "a")
    assert holds("ForAllValues:ArnLike", "arn:a:b:c:d:e*", "arn:a:b:c:d:e1", "arn:a:b:c:d:e2")


@pytest.mark.documented(
    "https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_variables.html"
)
def test_a_variable_in_a_condition() -> None:
    """String, ARN and Bool operators know variables; one without a value equals nothing and differs from everything."""
    assert holds("StringLike", "home/${aws:username}/", "home/anna/", aws__username="anna")
    assert holds("StringEqualsIgnoreCase", "${aws:username}", "ANNA", aws__username="anna")
    assert holds("Bool", "${k:other}", "true", k__other="true")
    own = "arn:aws:iam::1:user/${aws:username}"
    assert holds("ArnLike", own, "arn:aws:iam::1:user/anna", aws__username="anna")
    assert not holds("ArnLike", own, "arn:aws:iam::1:user/anna")
    assert not holds("StringEquals", "${aws:username}", "${aws:username}")
    assert holds("StringNotEquals", "${aws:username}", "anna")
    assert not holds("NumericEquals", "${k:other}", "1", k__other="1")


@pytest.mark.documented(
    "https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_condition.html"
)
def test_the_name_of_a_key_has_no_case() -> None:
    """`aws:SourceIp` and `AWS:sourceip` are one key."""
    same = condition("StringEquals", "AWS:sourceip", ["1"], variables=True)
    assert same.holds({"aws:sourceip": ("1",)})


@pytest.mark.assumed("notes/permissions.md#assumed-of-policies")
@pytest.mark.parametrize(
    ("operator", "bad", "good"),
    [
        ("NumericEquals", "ten", "10"),
        ("NumericLessThan", "NaN", "10"),
        ("DateEquals", "soon", "2020-01-01"),
        ("DateLessThan", "9" * 400, "2020-01-01"),
        ("IpAddress", "everywhere", "203.0.113.1"),
        ("BinaryEquals", "~", "QUJD"),
        ("ArnLike", "arn", "arn:aws:sns:us-west-2:1:T"),
    ],
)
def test_what_is_none_equals_nothing(operator: str, bad: str, good: str) -> None:
    """A text that is no number, date, address or ARN matches in neither place."""
    assert holds(operator, good, good) == (operator not in ("NumericLessThan", "DateLessThan"))
    assert not holds(operator, bad, good)
    assert not holds(operator, good, bad)


@pytest.mark.assumed("notes/permissions.md#assumed-of-policies")
def test_several_values_without_a_set_operator() -> None:
    """One of the request's values that matches is enough, and one too many for a negated operator."""
    assert holds("StringEquals", "a", "a", "b")
    assert not holds("StringNotEquals", "a", "a", "b")


@pytest.mark.parametrize(
    "operator",
    ["", "StringEqual", "NullIfExists", "ForAllValues:Null", "ForEach:StringEquals", "IfExists"],
)
def test_an_unknown_operator_is_named(operator: str) -> None:
    """What the reference does not have is no operator."""
    with pytest.raises(UnknownOperator, match=f"^{operator}$"):
        holds(operator, "a")


_NAMES = [
    f"{kind}{comparison}"
    for kind in ("Numeric", "Date", "String", "Arn")
    for comparison in ("Equals", "NotEquals", "LessThan", "Like")
    if (kind in ("Numeric", "Date")) == (comparison == "LessThan") or "Equals" in comparison
] + ["Bool", "BinaryEquals", "IpAddress", "NotIpAddress"]


@given(
    operator=st.sampled_from(_NAMES),
    wanted=st.text(max_size=6) | st.text("0123456789-:.TZ/e+", max_size=12),
    value=st.text(max_size=6) | st.text("0123456789-:.TZ/e+", max_size=12),
    context=contexts,
)
def test_any_texts_can_be_compared(operator: str, wanted: str, value: str, context: Any) -> None:
    """Whatever stands in a policy and in a request, the answer is yes or no."""
    found = condition(operator, "k", [wanted], variables=True).holds({**context, "k": (value,)})
    assert found in (True, False)
