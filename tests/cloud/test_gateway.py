"""A request finds its service by scope, target and path."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.cloud.gateway import Destination, Service, identify


def scope(
    method: str = "POST",
    path: str = "/",
    query: str = "",
    signed_for: str | None = None,
    target: str | None = None,
    region: str = "eu-west-1",
) -> dict[str, Any]:
    """An ASGI scope as the server makes it."""
    headers = []
    if signed_for is not None:
        credential = f"Credential=test/20261121/{region}/{signed_for}/aws4_request"
        headers.append(
            (
                b"authorization",
                f"AWS4-HMAC-SHA256 {credential}, SignedHeaders=host, Signature=0".encode(),
            )
        )
    if target is not None:
        headers.append((b"x-amz-target", target.encode()))
    return {"method": method, "path": path, "query_string": query.encode(), "headers": headers}


@pytest.mark.parametrize(
    ("request_scope", "expected"),
    [
        (scope(signed_for="sagemaker", target="SageMaker.ListModels"), Service.SAGEMAKER),
        (scope(target="SageMaker.ListModels"), Service.SAGEMAKER),
        (scope(signed_for="sagemaker"), Service.SAGEMAKER),
        (scope(path="/endpoints/e/invocations", signed_for="sagemaker"), Service.SAGEMAKER_RUNTIME),
        (
            scope(path="/endpoints/e/async-invocations", signed_for="sagemaker"),
            Service.SAGEMAKER_RUNTIME,
        ),
        (scope(path="/endpoints/e/invocations-response-stream"), Service.SAGEMAKER_RUNTIME),
        (scope(path="/endpoints/e/invocations"), Service.SAGEMAKER_RUNTIME),
        (scope("PUT", "/endpoints/e/invocations", signed_for="s3"), Service.MOTO),
        (scope("GET", "/endpoints/e/invocations"), Service.MOTO),
        (scope("PUT", "/BatchPutMetrics", signed_for="sagemaker"), Service.MOTO),
        (
            scope(path="/2015-03-31/functions/f/invocations", signed_for="lambda"),
            Service.LAMBDA_INVOKE,
        ),
        (
            scope(path="/2014-11-13/functions/f/invoke-async/", signed_for="lambda"),
            Service.LAMBDA_INVOKE,
        ),
        (scope(path="/2015-03-31/functions/f/invocations"), Service.LAMBDA_INVOKE),
        (scope("GET", "/2015-03-31/functions/f", signed_for="lambda"), Service.MOTO),
        (scope("GET", "/bucket/key", signed_for="s3"), Service.MOTO),
        (scope("GET", "/"), Service.MOTO),
        (scope("POST", "/moto-api/reset"), Service.MOTO_RESET),
        (scope("GET", "/moto-api/reset"), Service.MOTO),
        (scope("GET", "/moto-api/data.json"), Service.MOTO),
        (scope("GET", "/_harness/health"), Service.HEALTH),
    ],
)
def test_each_request_has_one_destination(request_scope: dict[str, Any], expected: Service) -> None:
    """The destination follows from method, path, scope and target."""
    assert expected is identify(request_scope).service


def test_the_region_is_the_signatures() -> None:
    """Region and signing name come from the credential scope, of a header or of a presigned URL."""
    assert Destination(Service.SAGEMAKER, "eu-west-1", "sagemaker") == identify(
        scope(signed_for="sagemaker", target="SageMaker.ListModels")
    )
    query = "X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Credential=test%2F20261121%2Fap-south-1%2Fs3%2Faws4_request"
    assert Destination(Service.MOTO, "ap-south-1", "s3") == identify(scope("GET", "/b/k", query))


@given(
    method=st.sampled_from(["GET", "POST", "PUT", "DELETE", "HEAD", "OPTIONS"]),
    path=st.text(max_size=60).map(lambda text: "/" + text),
    query=st.text(st.characters(codec="latin-1"), max_size=60),
    authorization=st.text(st.characters(codec="latin-1"), max_size=80),
)
def test_no_request_confuses_it(method: str, path: str, query: str, authorization: str) -> None:
    """Whatever the bytes are, there is an answer and no exception."""
    identify(
        {
            "method": method,
            "path": path,
            "query_string": query.encode("latin-1"),
            "headers": [(b"authorization", authorization.encode("latin-1"))],
        }
    )
