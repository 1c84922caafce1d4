"""Events that other services send to functions, without anybody calling Invoke."""

import base64
import gzip
import json
import time
from typing import Any

import pytest

from tests.cloud.conftest import ACCOUNT, REGION
from tests.cloud.functions.conftest import Bell, Client, Lambdas

NOTE = "notes/functions.md#triggers"
ARN = f"arn:aws:lambda:{REGION}:{ACCOUNT}:function:"


@pytest.fixture
def forwarding(lambdas: Lambdas, bell: Bell) -> str:
    """The name of a function that rings with the event that it gets."""
    port = bell.order()["with"]["port"]
    return lambdas.create(
        f"""import json, socket
def handler(event, context):
    with socket.create_connection(("127.0.0.1", {port})) as line:
        line.sendall(json.dumps(event).encode())
        line.shutdown(socket.SHUT_WR)
        line.makefile().read()
"""
    )


def heard(bell: Bell) -> Any:
    """The event that the function got."""
    call = bell.wait()
    call.answer()
    return call.heard


@pytest.mark.assumed(NOTE)
def test_sns(client: Client, forwarding: str, bell: Bell) -> None:
    """A message to a topic reaches a function that subscribes to it."""
    sns = client("sns")
    topic = sns.create_topic(Name="topic")["TopicArn"]
    sns.subscribe(TopicArn=topic, Protocol="lambda", Endpoint=ARN + forwarding)
    sns.publish(TopicArn=topic, Message="hello", Subject="greeting")
    (record,) = heard(bell)["Records"]
    assert record["EventSource"] == "aws:sns"
    assert (record["Sns"]["Message"], record["Sns"]["Subject"]) == ("hello", "greeting")


@pytest.mark.assumed(NOTE)
def test_s3(client: Client, forwarding: str, bell: Bell) -> None:
    """An object that is put into a bucket reaches a function that the bucket notifies."""
    s3 = client("s3")
    s3.create_bucket(Bucket="notifying")
    s3.put_bucket_notification_configuration(
        Bucket="notifying",
        NotificationConfiguration={
            "LambdaFunctionConfigurations": [
                {"LambdaFunctionArn": ARN + forwarding, "Events": ["s3:ObjectCreated:*"]}
            ]
        },
    )
    s3.put_object(Bucket="notifying", Key="a.csv", Body=b"x")
    (record,) = heard(bell)["Records"]
    assert (record["s3"]["bucket"]["name"], record["s3"]["object"]["key"]) == ("notifying", "a.csv")


@pytest.mark.assumed(NOTE)
def test_sqs(client: Client, lambdas: Lambdas, forwarding: str, bell: Bell) -> None:
    """A message in a queue reaches a function that is mapped to it, and leaves the queue."""
    sqs = client("sqs")
    url = sqs.create_queue(QueueName="queue")["QueueUrl"]
    arn = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["QueueArn"])["Attributes"]
    lambdas.client.create_event_source_mapping(
        EventSourceArn=arn["QueueArn"], FunctionName=forwarding
    )
    sqs.send_message(QueueUrl=url, MessageBody="hello")
    (record,) = heard(bell)["Records"]
    assert (record["body"], record["eventSource"]) == ("hello", "aws:sqs")
    assert "Messages" not in sqs.receive_message(QueueUrl=url)


@pytest.mark.assumed(NOTE)
def test_logs(client: Client, forwarding: str, bell: Bell) -> None:
    """What is written to a log group reaches a function that subscribes to it."""
    logs = client("logs")
    logs.create_log_group(logGroupName="watched")
    logs.create_log_stream(logGroupName="watched", logStreamName="s")
    logs.put_subscription_filter(
        logGroupName="watched",
        filterName="all",
        filterPattern="",
        destinationArn=ARN + forwarding,
    )
    now = time.time_ns() // 1_000_000
    logs.put_log_events(
        logGroupName="watched",
        logStreamName="s",
        logEvents=[{"timestamp": now, "message": "hello"}],
    )
    data = json.loads(gzip.decompress(base64.b64decode(heard(bell)["awslogs"]["data"])))
    assert data["logGroup"] == "watched"
    assert [each["message"] for each in data["logEvents"]] == ["hello"]


@pytest.mark.assumed(NOTE)
def test_a_trigger_that_calls_back(client: Client, lambdas: Lambdas, bell: Bell) -> None:
    """A function that was triggered by a service may call that service: nothing waits for it meanwhile."""
    port = bell.order()["with"]["port"]
    name = lambdas.create(
        f"""import boto3, json, socket
def handler(event, context):
    topics = boto3.client("sns").list_topics()["Topics"]
    with socket.create_connection(("127.0.0.1", {port})) as line:
        line.sendall(json.dumps(topics).encode())
        line.shutdown(socket.SHUT_WR)
        line.makefile().read()
""",
        MemorySize=512,
    )
    sns = client("sns")
    topic = sns.create_topic(Name="call-back")["TopicArn"]
    sns.subscribe(TopicArn=topic, Protocol="lambda", Endpoint=ARN + name)
    sns.publish(TopicArn=topic, Message="hello")
    assert {"TopicArn": topic} in heard(bell)
