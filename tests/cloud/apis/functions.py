"""Lambda functions behind APIs: what they are made of, and one that does what it is told."""

import io
import zipfile
from collections.abc import Callable
from typing import Any

from harness.cloud.identity.administrators import ACCOUNT, SESSION_ROLE_NAME

ROLE = f"arn:aws:iam::{ACCOUNT}:role/service-role/{SESSION_ROLE_NAME}"

# Answers with its event; with what the body says under `answer`, or fails as it says under `fail`.
OBEDIENT = """
import json, time

def handler(event, context):
    body = event.get("body") if isinstance(event, dict) else None
    order = json.loads(body) if body and body.startswith("{") else {}
    if "fail" in order:
        raise Exception(order["fail"])
    if "sleep" in order:
        time.sleep(order["sleep"])
    if "answer" in order:
        return order["answer"]
    return {"statusCode": 200, "body": json.dumps(event)}
"""


def create(client: Callable[..., Any], name: str, source: str = OBEDIENT) -> str:
    """Create a function and return its ARN."""
    client("sts").get_caller_identity()  # the execution role is there from then on
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        archive.writestr("handler.py", source)
    arn: str = client("lambda").create_function(
        FunctionName=name,
        Runtime="python3.11",
        Handler="handler.handler",
        Role=ROLE,
        Code={"ZipFile": file.getvalue()},
        Timeout=30,
    )["FunctionArn"]
    return arn


def permit(client: Callable[..., Any], function: str, source: str, **arguments: Any) -> None:
    """Let API Gateway call a function from where `source`, the end of an ARN, says."""
    client("lambda").add_permission(
        FunctionName=function,
        StatementId="".join(letter if letter.isalnum() else "-" for letter in source),
        Action="lambda:InvokeFunction",
        Principal="apigateway.amazonaws.com",
        SourceArn=f"arn:aws:execute-api:us-east-1:{ACCOUNT}:{source}",
        **arguments,
    )


def uri(arn: str) -> str:
    """The URI of an integration with a function."""
    return f"arn:aws:apigateway:us-east-1:lambda:path/2015-03-31/functions/{arn}/invocations"


def proxy(arn: str, **more: Any) -> dict[str, Any]:
    """An AWS_PROXY integration."""
    return {"type": "AWS_PROXY", "integrationHttpMethod": "POST", "uri": uri(arn), **more}
