"""A function's log without what differs from run to run, in the form of the answers recorded from AWS."""

import re


def generic(messages: list[str]) -> list[str]:
    """A log without what differs from run to run."""
    kept = []
    for message in messages:
        text = re.sub(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", "<request-id>", message)
        text = re.sub(r"\d+(\.\d+)? (ms|MB)(?=\t)", r"N \2", text)
        text = re.sub(r"python:[\w.]+", "python:<version>", text)
        text = re.sub(r"runtime:[0-9a-f]{64}", "runtime:<runtime-id>", text)
        kept.append(re.sub(r'File "[^"]*/', 'File "/var/task/', text))
    return kept


INIT = (
    "INIT_START Runtime Version: python:<version>\tRuntime Version ARN: "
    "arn:aws:lambda:us-east-1::runtime:<runtime-id>\n"
)
START = "START RequestId: <request-id> Version: $LATEST\n"
END = "END RequestId: <request-id>\n"
FIRST = (
    "REPORT RequestId: <request-id>\tDuration: N ms\tBilled Duration: N ms\tMemory Size: N MB\t"
    "Max Memory Used: N MB\tInit Duration: N ms\t\n"
)
LATER = FIRST.replace("Init Duration: N ms\t", "")
