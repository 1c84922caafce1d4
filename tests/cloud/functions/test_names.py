"""What functions may be called in a request."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.cloud.errors import AwsError
from harness.cloud.functions.names import FunctionName, parse
from harness.cloud.protocol import models
from harness.cloud.protocol.patterns import matches

PATTERN = models.load("lambda").shape("NamespacedFunctionName").pattern
NAME = st.from_regex(r"[a-zA-Z0-9_-]{1,20}", fullmatch=True)
QUALIFIER = st.from_regex(r"\$LATEST|[a-zA-Z][a-zA-Z0-9_-]{0,9}|[1-9]", fullmatch=True)
FORMS = (
    "{n}",
    "function:{n}",
    "{a}:{n}",
    "{a}:function:{n}",
    "arn:aws:lambda:{r}:{a}:function:{n}",
)


@given(
    form=st.sampled_from(FORMS),
    name=NAME,
    within=st.none() | QUALIFIER,
    beside=st.none() | QUALIFIER,
    account=st.from_regex(r"[0-9]{12}", fullmatch=True),
)
@pytest.mark.documented("lambda:InvocationRequest.FunctionName")
def test_every_form(
    form: str, name: str, within: str | None, beside: str | None, account: str
) -> None:
    """Each form of a name that the model allows means the function, account and qualifier that it says."""
    text = form.format(n=name, a=account, r="us-east-1")
    if within is not None:
        text += f":{within}"
    assert PATTERN is not None
    assert matches(PATTERN, text)
    if within is not None and beside is not None and within != beside:
        with pytest.raises(AwsError, match="does not match the specified qualifier"):
            parse(text, beside, "111122223333", "us-east-1")
        return
    expected = account if "{a}" in form else "111122223333"
    found = parse(text, beside, "111122223333", "us-east-1")
    assert found == FunctionName(expected, "us-east-1", name, within or beside)
    assert found.unqualified_arn == f"arn:aws:lambda:us-east-1:{expected}:function:{name}"
    assert found.arn == found.unqualified_arn + (f":{within or beside}" if within or beside else "")


@given(st.from_regex(re.compile(r"[a-z0-9:$LATESTfunction._-]{1,40}"), fullmatch=True))
def test_whatever_the_model_allows_is_read(text: str) -> None:
    """There is no text that passes the model's pattern and is none of the forms."""
    assert PATTERN is not None
    if matches(PATTERN, text):
        try:
            parse(text, None, "111122223333", "us-east-1")
        except AwsError as error:
            assert "not reachable in this region" in error.message  # noqa: PT017 - it may be either
