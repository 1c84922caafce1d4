"""Training jobs: create, describe, list, stop, delete (docs/notes/training-jobs.md).

LIMITATIONS: one instance; File mode, S3Prefix and ManifestFile; no checkpoints, warm pools, debugger rules
or experiments. What is not done is refused by name.
"""

from typing import Any

from harness.cloud.context import RequestContext
from harness.cloud.protocol.model_exceptions import already_exists, finished, in_use, not_found
from harness.cloud.sagemaker import listing, training_checks
from harness.cloud.sagemaker.arns import sagemaker_arn
from harness.cloud.sagemaker.image_checks import check_environment, image_of_training
from harness.cloud.sagemaker.lifecycle import moment
from harness.cloud.sagemaker.records import TRAINING_JOB, StatusTransition, TrainingJob
from harness.cloud.sagemaker.service import SageMaker
from harness.cloud.sagemaker.tags import checked
from harness.cloud.sagemaker.training_runs import STARTING, TrainingRun

Request = dict[str, Any]

LIST: listing.Listing[TrainingJob] = listing.Listing(
    members="TrainingJobSummaries",
    summary=lambda job: _present(
        {
            "TrainingJobName": job.name,
            "TrainingJobArn": job.arn,
            "CreationTime": job.created,
            "TrainingEndTime": job.ended,
            "LastModifiedTime": job.modified,
            "TrainingJobStatus": job.status,
            "SecondaryStatus": job.secondary,
        }
    ),
    sort_by="CreationTime",
    sort_order="Ascending",
    sort_keys={
        "Name": lambda job: job.name,
        "CreationTime": lambda job: job.created,
        "Status": lambda job: job.status,
    },
    filters={
        "NameContains": listing.name_contains,
        "CreationTimeAfter": listing.created_since,
        "CreationTimeBefore": listing.created_before,
        "LastModifiedTimeAfter": listing.modified_since,
        "LastModifiedTimeBefore": listing.modified_before,
        "StatusEquals": lambda job, value: job.status == value,
    },
    # sagemaker:ListTrainingJobs: a page is cut first and filtered then.
    after_cut=frozenset({"StatusEquals"}),
)


def create_training_job(service: SageMaker, context: RequestContext, request: Request) -> Request:
    """Checks what AWS checks at once, keeps the job and begins its run."""
    name = request["TrainingJobName"]
    arn = sagemaker_arn(context.account, context.region, "training-job", name)
    training_checks.check_consistency(request)
    check_environment(request.get("Environment", {}))
    # It gets ready while the checks ask S3.
    service.engine.warm()
    tags = checked(request.get("Tags", ()))
    image = request["AlgorithmSpecification"]["TrainingImage"]
    implementation = image_of_training(service.images, image, request["RoleArn"])
    training_checks.check_metrics_allowed(request, implementation)
    state = service.state(context)
    if state.training_jobs.find(name) is not None:
        raise already_exists("CreateTrainingJob", arn)
    training_checks.check_input(service, context, request)
    output = request["OutputDataConfig"]["S3OutputPath"].rstrip("/")
    now = moment(service.clock)
    job = TrainingJob(
        name=name,
        arn=arn,
        created=now,
        modified=now,
        serial=state.training_jobs.next_serial(),
        request=training_checks.with_defaults(request, implementation),
        implementation=implementation,
        artifact=f"{output}/{name}/output/model.tar.gz",
        transitions=(StatusTransition("Starting", STARTING[0], now),),
    )
    run = TrainingRun(service, state, job)
    with state.changed:
        if state.training_jobs.find(name) is not None:
            raise already_exists("CreateTrainingJob", arn)
        state.training_jobs.add(job)
        state.tags[arn] = tags
        state.training_runs[job.serial] = run
    service.background.enqueue(f"training {name}", run.run)
    return {"TrainingJobArn": arn}


def describe_training_job(service: SageMaker, context: RequestContext, request: Request) -> Request:
    """The job as it stands. What is not known yet is absent, but ModelArtifacts is always there."""
    job = find_training_job(service, context, "DescribeTrainingJob", request["TrainingJobName"])
    answer = {
        "TrainingJobName": job.name,
        "TrainingJobArn": job.arn,
        "ModelArtifacts": {"S3ModelArtifacts": job.artifact},
        "TrainingJobStatus": job.status,
        "SecondaryStatus": job.secondary,
        "FailureReason": job.failure_reason,
        **job.request,
        "CreationTime": job.created,
        "TrainingStartTime": job.started,
        "TrainingEndTime": job.ended,
        "LastModifiedTime": job.modified,
        "SecondaryStatusTransitions": [
            _present(
                {
                    "Status": row.status,
                    "StartTime": row.start,
                    "EndTime": row.end,
                    "StatusMessage": row.message,
                }
            )
            for row in job.transitions
        ],
        "ProfilingStatus": _profiling_status(job.request),
    }
    if job.final_metrics:
        answer["FinalMetricDataList"] = [
            {"MetricName": metric.name, "Value": metric.value, "Timestamp": metric.timestamp}
            for metric in job.final_metrics
        ]
    if job.started and job.ended:
        # The model's minimum is 1 for both; nothing is interrupted here, so all the time is billed.
        seconds = max(1, int((job.ended - job.started).total_seconds()))
        answer["TrainingTimeInSeconds"] = answer["BillableTimeInSeconds"] = seconds
    return _present(answer)


def list_training_jobs(service: SageMaker, context: RequestContext, request: Request) -> Request:
    """A page of the jobs."""
    return LIST.answer(service.state(context).training_jobs, request)


def stop_training_job(service: SageMaker, context: RequestContext, request: Request) -> None:
    """Asks the job to stop; one that is stopping already is left alone."""
    state = service.state(context)
    with state.changed:
        job = find_training_job(service, context, "StopTrainingJob", request["TrainingJobName"])
        if TRAINING_JOB.terminal(job.state):
            raise finished("StopTrainingJob", job.arn, status=job.status)
        run = state.training_runs[job.serial]
    run.stop("Stopped")


def delete_training_job(service: SageMaker, context: RequestContext, request: Request) -> None:
    """Forgets a job that has ended; its name is free again."""
    state = service.state(context)
    with state.changed:
        job = find_training_job(service, context, "DeleteTrainingJob", request["TrainingJobName"])
        if not TRAINING_JOB.terminal(job.state):
            raise in_use("DeleteTrainingJob", job.arn, status=job.status)
        state.training_jobs.remove(job)
        state.tags.pop(job.arn, None)


def find_training_job(
    service: SageMaker, context: RequestContext, operation: str, name: str
) -> TrainingJob:
    """The job of this name, or the refusal of `operation` for a missing one."""
    job = service.state(context).training_jobs.find(name)
    if job is None:
        arn = sagemaker_arn(context.account, context.region, "training-job", name)
        raise not_found(operation, arn, name=name)
    return job


def _profiling_status(request: Any) -> str | None:
    profiler = request.get("ProfilerConfig")
    if profiler is None:
        return None
    return "Disabled" if profiler.get("DisableProfiler") else "Enabled"


def _present(members: Request) -> Request:
    """Without what is absent: SDKs stumble over null and over empty structures."""
    return {name: value for name, value in members.items() if value is not None}
