"""A cloud in a process of its own, with functions that work, wait and have left children; it prints their pids."""

import json
import sys
import threading
from typing import Any

import boto3
import psutil

from harness.cloud.identity.administrators import ACCOUNT, SESSION_ROLE_NAME
from harness.cloud.local_cloud import LocalCloud
from tests.cloud.functions.conftest import Bell, Lambdas


def main() -> None:
    """Run functions, say so, and close the cloud when told to."""
    with LocalCloud() as cloud:

        def client(service: str, **arguments: Any) -> Any:
            return boto3.client(
                service,
                region_name="us-east-1",
                endpoint_url=cloud.url,
                aws_access_key_id="test",
                aws_secret_access_key="test",
                **arguments,
            )

        client("sts").get_caller_identity()
        role = f"arn:aws:iam::{ACCOUNT}:role/service-role/{SESSION_ROLE_NAME}"
        lambdas, bell = Lambdas(client, role), Bell()
        name = lambdas.create()
        family = [lambdas.do(name, "fork").json, lambdas.do(name, "pid").json]
        pending = lambdas.begin(name, bell.order())
        bell.wait().answer({"do": "hang"})
        family += [child.pid for child in psutil.Process().children(recursive=True)]
        print(json.dumps({"family": family, "folder": str(cloud.functions.folder.parent)}))
        sys.stdout.flush()
        sys.stdin.readline()
    assert pending.result().json["errorType"] == "Runtime.ExitError"
    lambdas.close()
    bell.close()
    assert threading.enumerate() == [threading.main_thread()]


if __name__ == "__main__":
    main()
