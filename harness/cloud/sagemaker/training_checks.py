"""What CreateTrainingJob refuses at once, and the request with its defaults (docs/notes/training-jobs.md)."""

from typing import Any

import regex
from botocore.exceptions import ClientError

from harness.cloud.context import RequestContext
from harness.cloud.sagemaker.arns import split_s3_uri
from harness.cloud.sagemaker.refusals import refusal
from harness.cloud.sagemaker.s3_access import Access, access_to_prefix
from harness.cloud.sagemaker.service import SageMaker
from harness.containers.images import Implementation

Request = dict[str, Any]

DEFAULT_MAX_RUNTIME = 86_400
LONGEST_MAX_RUNTIME = 2_419_200
MAX_METRIC_DEFINITIONS = 40


def check_consistency(request: Request) -> None:
    """Raise a ValidationException for a request that contradicts itself."""
    algorithm = request["AlgorithmSpecification"]
    if not algorithm.get("TrainingImage"):
        raise refusal("training_image_missing")
    resources = request.get("ResourceConfig", {})
    if not all(resources.get(m) for m in ("InstanceType", "InstanceCount", "VolumeSizeInGB")):
        raise refusal("resource_config_incomplete")
    _check_channels(request.get("InputDataConfig", ()))
    _check_metric_definitions(algorithm.get("MetricDefinitions", ()))
    stopping = request.get("StoppingCondition", {})
    max_runtime = stopping.get("MaxRuntimeInSeconds", DEFAULT_MAX_RUNTIME)
    if max_runtime > LONGEST_MAX_RUNTIME:
        raise refusal("max_runtime_too_long", limit=LONGEST_MAX_RUNTIME)
    if request.get("EnableManagedSpotTraining"):
        if stopping.get("MaxWaitTimeInSeconds", 0) < max_runtime:
            raise refusal("max_wait_too_short")
    elif "MaxWaitTimeInSeconds" in stopping:
        raise refusal("max_wait_without_spot")


def check_metrics_allowed(request: Request, implementation: Implementation) -> None:
    """Amazon's own algorithms bring their metric definitions."""
    if implementation.first_party and request["AlgorithmSpecification"].get("MetricDefinitions"):
        raise refusal("metric_definitions_refused")


def check_input(service: SageMaker, context: RequestContext, request: Request) -> None:
    """Look at every channel's data with the eyes of the job's role."""
    role = request["RoleArn"]
    try:
        s3 = service.backing.role_client("s3", context.region, role)
    except ClientError as error:
        raise refusal("role_not_assumable", role=role) from error
    for channel in request.get("InputDataConfig", ()):
        uri = channel["DataSource"]["S3DataSource"]["S3Uri"]
        if access_to_prefix(s3, uri) is not Access.THERE:
            raise refusal(
                "no_s3_objects",
                uri=uri,
                region=context.region,
                role=role,
                bucket=split_s3_uri(uri)[0],
            )


def with_defaults(request: Request, implementation: Implementation) -> Request:
    """The request as DescribeTrainingJob shows it, without the tags."""
    kept = {key: value for key, value in request.items() if key != "Tags"}
    algorithm = {"EnableSageMakerMetricsTimeSeries": False, **request["AlgorithmSpecification"]}
    if implementation.metric_definitions and implementation.first_party:
        algorithm["MetricDefinitions"] = [
            {"Name": definition.name, "Regex": definition.regex}
            for definition in implementation.metric_definitions[:MAX_METRIC_DEFINITIONS]
        ]
    kept["AlgorithmSpecification"] = algorithm
    if "InputDataConfig" in request:
        kept["InputDataConfig"] = [
            {**channel, "CompressionType": "None", "RecordWrapperType": "None"}
            for channel in request["InputDataConfig"]
        ]
    # Estimator.attach of SDK v2 reads KmsKeyId without asking whether it is there.
    kept["OutputDataConfig"] = {"KmsKeyId": "", **request["OutputDataConfig"]}
    kept["StoppingCondition"] = {
        "MaxRuntimeInSeconds": DEFAULT_MAX_RUNTIME,
        **request.get("StoppingCondition", {}),
    }
    for flag in (
        "EnableNetworkIsolation",
        "EnableInterContainerTrafficEncryption",
        "EnableManagedSpotTraining",
    ):
        kept.setdefault(flag, False)
    if "ProfilerConfig" in request:
        kept["ProfilerConfig"] = {
            "ProfilingIntervalInMilliseconds": 500,
            **request["ProfilerConfig"],
        }
    return kept


def _check_channels(channels: Any) -> None:
    seen: set[str] = set()
    for channel in channels:
        name = channel["ChannelName"]
        if name in (".", ".."):
            # The model's pattern lets them through, but no folder can have such a name.
            raise refusal("channel_name_invalid", name=name)
        if name in seen:
            raise refusal("channel_name_twice", name=name)
        seen.add(name)
        if list(channel["DataSource"]) != ["S3DataSource"]:
            raise refusal("channel_without_source", name=name)


def _check_metric_definitions(definitions: Any) -> None:
    seen: set[str] = set()
    for definition in definitions:
        name = definition["Name"]
        if name in seen:
            raise refusal("metric_name_twice", name=name)
        seen.add(name)
        try:
            regex.compile(definition["Regex"])
        except regex.error:
            raise refusal("metric_regex_invalid", name=name, regex=definition["Regex"]) from None
