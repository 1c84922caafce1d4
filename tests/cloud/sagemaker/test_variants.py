"""Production variants over the wire: weights, instances, routing, and changing them while requests run."""

import os
import signal
import threading
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import psutil
import pytest

from harness.cloud.clock import ManualClock
from harness.cloud.local_cloud import LocalCloud
from harness.cloud.sagemaker.service import AccountRegion
from tests.cloud.sagemaker.ground import counts, error_of, hear, workers

Make = Callable[..., str]
Settled = Callable[[str], dict[str, Any]]
Serve = Callable[..., dict[str, Any]]
LEAST = {"RoutingStrategy": "LEAST_OUTSTANDING_REQUESTS"}


@pytest.mark.documented("sagemaker-runtime:InvokeEndpointOutput.InvokedProductionVariant")
def test_each_variant_answers_for_itself(
    sagemaker: Any, serve: Serve, ask: Callable[..., str], name: str
) -> None:
    """Each runs its own model with its own environment; the header names the one that answered."""
    found = serve(
        name,
        A={"InitialVariantWeight": 3},
        B={"InitialVariantWeight": 1, "RoutingConfig": LEAST},
        C={"InitialVariantWeight": 0, "InitialInstanceCount": 2},
    )
    assert counts(found) == {"A": (3, 3, 1, 1), "B": (1, 1, 1, 1), "C": (0, 0, 2, 2)}
    routing = [variant.get("RoutingConfig") for variant in found["ProductionVariants"]]
    assert routing == [None, LEAST, None]
    for variant in "ABC":
        assert ask(variant=variant) == f"{name}/{variant}"
    hear(ask, f"{name}/A", f"{name}/B")
    sagemaker.delete_endpoint(EndpointName=name)


@pytest.mark.assumed("notes/endpoints.md#variants")
def test_without_any_weight_all_variants_answer(
    sagemaker: Any, serve: Serve, ask: Callable[..., str], name: str
) -> None:
    """All-zero weights are no reason to answer nothing."""
    serve(name, A={"InitialVariantWeight": 0}, B={"InitialVariantWeight": 0})
    hear(ask, f"{name}/A", f"{name}/B")
    sagemaker.delete_endpoint(EndpointName=name)


@pytest.mark.documented("sagemaker:ProductionVariant.InitialInstanceCount")
def test_each_instance_is_a_worker_of_its_own(
    sagemaker: Any, serve: Serve, ask: Callable[..., str], name: str
) -> None:
    """Three instances are three processes, all of which answer."""
    serve(name, A={"InitialInstanceCount": 3})
    pids = workers(ask, 3)
    assert {ask("pid") for _ in range(20)} <= pids
    sagemaker.delete_endpoint(EndpointName=name)


@pytest.mark.documented("sagemaker:RoutingStrategy")
def test_the_least_busy_instance_is_asked(
    sagemaker: Any, serve: Serve, ask: Callable[..., str], name: str, pipe: str
) -> None:
    """Of two instances the one that holds a request gets no other while the second is free."""
    serve(name, A={"InitialInstanceCount": 2, "RoutingConfig": LEAST})
    held = threading.Thread(target=lambda: ask(f"meet {pipe}"))
    held.start()
    with Path(pipe).open("wb") as other_end:
        assert len({ask("pid") for _ in range(30)}) == 1
        other_end.write(b"done")
    held.join()
    workers(ask, 2)
    sagemaker.delete_endpoint(EndpointName=name)


@pytest.mark.documented("sagemaker:UpdateEndpointWeightsAndCapacities")
def test_weights_move_the_traffic(
    sagemaker: Any, serve: Serve, ask: Callable[..., str], settled: Settled, name: str
) -> None:
    """New weights hold for the next request; a variant that is not mentioned keeps its own."""
    serve(name, A={}, B={"InitialVariantWeight": 0}, C={"InitialVariantWeight": 0})
    hear(ask, f"{name}/A")
    pid = ask("pid", "B")
    sagemaker.update_endpoint_weights_and_capacities(
        EndpointName=name,
        DesiredWeightsAndCapacities=[
            {"VariantName": "A", "DesiredWeight": 0},
            {"VariantName": "B", "DesiredWeight": 0.25},
        ],
    )
    found = settled(name)
    assert counts(found) == {"A": (0, 0, 1, 1), "B": (0.25, 0.25, 1, 1), "C": (0, 0, 1, 1)}
    hear(ask, f"{name}/B")
    assert ask("pid", "B") == pid
    sagemaker.delete_endpoint(EndpointName=name)


@pytest.mark.documented("notes/endpoints.md#weights-and-capacities")
def test_scaling_out(
    sagemaker: Any,
    state: AccountRegion,
    serve: Serve,
    ask: Callable[..., str],
    settled: Settled,
    name: str,
    tmp_path: Path,
) -> None:
    """While Updating the desired count leads; the instances there are go on serving, the new ones join them."""
    gate = tmp_path / "gate"
    gate.write_text("open")
    serve(name, A={"DO": f"gate {gate}"}, B={})
    before = ask("pid", "A")
    gate.unlink()
    os.mkfifo(gate)
    sagemaker.update_endpoint_weights_and_capacities(
        EndpointName=name,
        DesiredWeightsAndCapacities=[
            {"VariantName": "A", "DesiredInstanceCount": 2, "DesiredWeight": 5},
            {"VariantName": "B", "DesiredInstanceCount": 3},
        ],
    )

    def b_is_there(endpoint: Any) -> bool:
        return bool(endpoint.variants[1].instance_count == 3)

    state.endpoints.wait_for(name, b_is_there, 30)
    updating = sagemaker.describe_endpoint(EndpointName=name)
    assert updating["EndpointStatus"] == "Updating"
    assert "PendingDeploymentSummary" not in updating
    assert counts(updating) == {"A": (5, 5, 1, 2), "B": (1, 1, 3, 3)}
    (status,) = updating["ProductionVariants"][0]["VariantStatus"]
    assert status["Status"] == "Updating"
    assert status["StatusMessage"] == "Scaling out desired instance count to 2."
    assert {ask("pid", "A") for _ in range(10)} == {before}
    gate.write_text("open")
    found = settled(name)
    assert counts(found) == {"A": (5, 5, 2, 2), "B": (1, 1, 3, 3)}
    assert "VariantStatus" not in found["ProductionVariants"][0]
    workers(ask, 2, "A")
    sagemaker.delete_endpoint(EndpointName=name)


@pytest.mark.documented("notes/endpoints.md#weights-and-capacities")
def test_scaling_in_loses_no_request(
    sagemaker: Any,
    serve: Serve,
    ask: Callable[..., str],
    settled: Settled,
    name: str,
    tmp_path: Path,
) -> None:
    """Instances that leave answer what they hold first, and only then end."""
    serve(name, A={"InitialInstanceCount": 3, "RoutingConfig": LEAST})
    pids = workers(ask, 3)
    pipes = [tmp_path / str(n) for n in range(3)]
    answers: list[str] = []
    threads = []
    for pipe in pipes:
        os.mkfifo(pipe)
        threads.append(threading.Thread(target=lambda p=pipe: answers.append(ask(f"meet {p}"))))
        threads[-1].start()
    ends = [pipe.open("wb") for pipe in pipes]
    # Each of the three holds one now.
    sagemaker.update_endpoint_weights_and_capacities(
        EndpointName=name,
        DesiredWeightsAndCapacities=[{"VariantName": "A", "DesiredInstanceCount": 1}],
    )
    while len({ask("pid") for _ in range(30)}) > 1:
        pass
    updating = sagemaker.describe_endpoint(EndpointName=name)
    assert (updating["EndpointStatus"], counts(updating)) == ("Updating", {"A": (1, 1, 3, 1)})
    (status,) = updating["ProductionVariants"][0]["VariantStatus"]
    assert status["StatusMessage"] == "Scaling in desired instance count to 1."
    assert all(psutil.pid_exists(int(pid)) for pid in pids)
    for end in ends:
        end.write(b"answered")
        end.close()
    for thread in threads:
        thread.join()
    assert answers == ["answered"] * 3
    assert counts(settled(name)) == {"A": (1, 1, 1, 1)}
    assert [pid for pid in pids if psutil.pid_exists(int(pid))] == [ask("pid")]
    sagemaker.delete_endpoint(EndpointName=name)


@pytest.mark.documented("notes/endpoints.md#weights-and-capacities")
def test_scaling_that_fails_changes_nothing(
    sagemaker: Any,
    cloud: LocalCloud,
    serve: Serve,
    ask: Callable[..., str],
    settled: Settled,
    name: str,
    tmp_path: Path,
) -> None:
    """A new instance that is never healthy: weights and counts are as before, and FailureReason says why."""
    serve(name, A={"DO": f"times 1 {tmp_path / 'flag'}"}, B={})
    before = ask("pid", "A"), ask("pid", "B")
    sagemaker.update_endpoint_weights_and_capacities(
        EndpointName=name,
        DesiredWeightsAndCapacities=[
            {"VariantName": "A", "DesiredInstanceCount": 2, "DesiredWeight": 0},
            {"VariantName": "B", "DesiredInstanceCount": 2},
        ],
    )
    found = settled(name)
    assert found["EndpointStatus"] == "InService"
    assert counts(found) == {"A": (1, 1, 1, 1), "B": (1, 1, 1, 1)}
    assert found["FailureReason"].startswith(
        "The primary container for production variant A did not pass the ping health check."
    )
    assert (ask("pid", "A"), ask("pid", "B")) == before
    # A later change that works clears the reason.
    sagemaker.update_endpoint_weights_and_capacities(
        EndpointName=name, DesiredWeightsAndCapacities=[{"VariantName": "A", "DesiredWeight": 2}]
    )
    assert "FailureReason" not in settled(name)
    sagemaker.delete_endpoint(EndpointName=name)


@pytest.mark.documented("sagemaker:UpdateEndpointInput.RetainAllVariantProperties")
@pytest.mark.parametrize(
    ("retain", "excluded", "weight", "count"),
    [
        (False, [], 1.0, 1),
        (True, [], 0.5, 2),
        (True, ["DesiredWeight"], 1.0, 2),
        (True, ["DesiredInstanceCount"], 0.5, 1),
        (True, ["DesiredInstanceCount", "DesiredWeight"], 1.0, 1),
    ],
)
def test_an_update_retains_what_it_is_told_to(
    sagemaker: Any,
    serve: Serve,
    configure: Make,
    settled: Settled,
    name: str,
    retain: bool,
    excluded: list[str],
    weight: float,
    count: int,
) -> None:
    """RetainAllVariantProperties keeps live weights and counts, unless excluded, of variants of the same name."""
    serve(name, A={})
    sagemaker.update_endpoint_weights_and_capacities(
        EndpointName=name,
        DesiredWeightsAndCapacities=[
            {"VariantName": "A", "DesiredWeight": 0.5, "DesiredInstanceCount": 2}
        ],
    )
    settled(name)
    sagemaker.update_endpoint(
        EndpointName=name,
        EndpointConfigName=configure(f"{name}-2", A={}, B={"InitialVariantWeight": 7}),
        RetainAllVariantProperties=retain,
        ExcludeRetainedVariantProperties=[{"VariantPropertyType": kind} for kind in excluded],
    )
    assert counts(settled(name)) == {"A": (weight, weight, count, count), "B": (7, 7, 1, 1)}
    sagemaker.delete_endpoint(EndpointName=name)


@pytest.mark.assumed("notes/endpoints.md#weights-and-capacities")
@pytest.mark.parametrize(
    ("wishes", "part"),
    [
        ([{"VariantName": "Nobody", "DesiredWeight": 0.5}], '"Nobody"'),
        ([{"VariantName": "a", "DesiredWeight": 0.5}], '"a"'),
        ([{"VariantName": "A", "DesiredInstanceCount": 0}], "at least one instance"),
        ([{"VariantName": "A", "DesiredInstanceCount": 101}], "at most 100 instances"),
        ([{"VariantName": "A"}, {"VariantName": "A", "DesiredWeight": 1}], "unique"),
        ([{"VariantName": "A", "DesiredWeight": -1}], "value greater than or equal to 0"),
        ([{"VariantName": "A", "DesiredWeight": float("nan")}], "greater than or"),
        ([{"VariantName": "A", "DesiredWeight": float("inf")}], "finite"),
        ([{"VariantName": "A", "DesiredInstanceCount": -1}], "value greater than or equal to 0"),
        (
            [{"VariantName": "A", "ServerlessUpdateConfig": {"MaxConcurrency": 1}}],
            "ServerlessUpdateConfig.MaxConcurrency",
        ),
        ([], "length greater than or equal to 1"),
    ],
)
def test_wishes_that_cannot_be(
    sagemaker: Any, shared: str, wishes: list[dict[str, Any]], part: str
) -> None:
    """Each is refused by what is wrong with it, and the endpoint stays InService as it is."""
    code, text = error_of(
        sagemaker.update_endpoint_weights_and_capacities,
        EndpointName=shared,
        DesiredWeightsAndCapacities=wishes,
    )
    assert code in ("ValidationException", "SerializationException")
    assert part in text
    found = sagemaker.describe_endpoint(EndpointName=shared)
    assert found["EndpointStatus"] == "InService"
    assert counts(found) == {"A": (1, 1, 1, 1)}


@pytest.mark.documented("sagemaker:EndpointStatus")
def test_an_endpoint_that_is_scaled_is_in_progress(
    sagemaker: Any, serve: Serve, settled: Settled, name: str, tmp_path: Path
) -> None:
    """Meanwhile it can be neither updated, nor scaled again, nor deleted."""
    gate = tmp_path / "gate"
    gate.write_text("open")
    found = serve(name, A={"DO": f"gate {gate}"})
    gate.unlink()
    os.mkfifo(gate)
    wish = {"DesiredWeightsAndCapacities": [{"VariantName": "A", "DesiredInstanceCount": 2}]}
    sagemaker.update_endpoint_weights_and_capacities(EndpointName=name, **wish)
    busy = (
        "ValidationException",
        f'Cannot update in-progress endpoint "{found["EndpointArn"]}".',
    )
    scale = sagemaker.update_endpoint_weights_and_capacities
    assert error_of(scale, EndpointName=name, **wish) == busy
    assert error_of(sagemaker.update_endpoint, EndpointName=name, EndpointConfigName=name) == busy
    assert error_of(sagemaker.delete_endpoint, EndpointName=name) == busy
    gate.write_text("open")
    settled(name)
    sagemaker.delete_endpoint(EndpointName=name)


@pytest.mark.documented("notes/endpoints.md#health-check")
def test_one_of_two_killed_costs_what_it_held(
    sagemaker: Any, runtime: Any, serve: Serve, ask: Callable[..., str], name: str, tmp_path: Path
) -> None:
    """SIGKILL: the requests it held fail, each client loses one at most, and another takes its place."""
    serve(name, A={"InitialInstanceCount": 2, "RoutingConfig": LEAST})
    pids = workers(ask, 2)
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    faults: list[Exception] = []
    over = threading.Event()
    lost = Counter[int]()

    def hold() -> None:
        try:
            ask(f"meet {pipe}")
        except runtime.exceptions.ModelError as error:
            faults.append(error)

    def go_on(client: int) -> None:
        while not over.is_set():
            try:
                ask()
            except runtime.exceptions.ModelError:
                lost[client] += 1

    holder = threading.Thread(target=hold)
    holder.start()
    with pipe.open("wb"):
        # The one that answers is the other one.
        (free,) = {ask("pid") for _ in range(20)}
        (busy,) = pids - {free}
        clients = [threading.Thread(target=go_on, args=(client,)) for client in range(8)]
        for client in clients:
            client.start()
        os.kill(int(busy), signal.SIGKILL)
        holder.join()
    while len({ask("pid") for _ in range(20)} - pids) == 0:
        pass
    over.set()
    for client in clients:
        client.join()
    assert len(faults) == 1
    assert max(lost.values(), default=0) <= 1
    assert sagemaker.describe_endpoint(EndpointName=name)["EndpointStatus"] == "InService"
    sagemaker.delete_endpoint(EndpointName=name)


def test_a_variant_that_cannot_start_does_not_wait_for_the_others(
    sagemaker: Any,
    clock: ManualClock,
    configure: Make,
    settled: Settled,
    name: str,
    tmp_path: Path,
) -> None:
    """One container that ends fails the endpoint at once, though another would be pinged for minutes."""
    configure(name, A={"DO": f"sick {tmp_path / 'never'}"}, B={"DO": "crash"})
    sagemaker.create_endpoint(EndpointName=name, EndpointConfigName=name)
    failed = settled(name)
    assert failed["EndpointStatus"] == "Failed"
    assert "production variant B did not pass" in failed["FailureReason"]
    sagemaker.delete_endpoint(EndpointName=name)
