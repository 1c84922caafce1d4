"""Process start to the first answer, and memory before the first job."""

import json
import time

from benchmarks.servers import (
    CLOUD,
    MOTO,
    Peer,
    ask_until_answered,
    free_port,
    resident_bytes,
    running,
    signed,
    stop,
)
from benchmarks.table import Row, in_turn

_LIST = json.dumps({"MaxResults": 10}).encode()
_LIST_HEADERS = {
    "X-Amz-Target": "SageMaker.ListTrainingJobs",
    "Content-Type": "application/x-amz-json-1.1",
}


def _first_answer(peer: Peer, service: str, body: bytes, headers: dict[str, str]) -> float:
    port = free_port()
    request = signed(service, "/", body, headers, port)
    begin = time.perf_counter()
    process = peer.start(port)
    try:
        answer = ask_until_answered(port, "/", body, request)
        seconds = time.perf_counter() - begin
    finally:
        stop(process)
    assert b"Error" not in answer, answer
    assert b"__type" not in answer, answer
    return seconds


def measure(runs: int) -> list[Row]:
    """Both processes from cold start, in turn."""
    ours, peers = in_turn(
        lambda: _first_answer(CLOUD, "sagemaker", _LIST, _LIST_HEADERS),
        lambda: _first_answer(MOTO, "s3", b"", {}),
        runs,
    )
    memory = []
    for _ in range(3):
        with running(CLOUD) as (url, process):
            port = int(url.rsplit(":", 1)[1])
            ask_until_answered(
                port, "/", _LIST, signed("sagemaker", "/", _LIST, _LIST_HEADERS, port)
            )
            ask_until_answered(port, "/", b"", signed("s3", "/", b"", {}, port))
            memory.append(resident_bytes(process) / 1e6)
    return [
        Row(
            "process start to first answer: ListTrainingJobs, peer: S3 ListBuckets",
            "s",
            ours,
            "moto_server",
            peers,
            "ratio <= 1.2",
        ),
        Row("memory after SageMaker and S3 answered, before any job", "MB", memory, goal="< 120"),
    ]
