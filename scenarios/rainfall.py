"""One feature, the day's mean temperature, predicts rain: linear-learner, from numpy to JSON and back.

The data goes to S3 as recordIO-protobuf, the model is deployed, CSV goes in and JSON comes out. Rain is
barely linear in temperature, so the model is compared with the exact line of least absolute error.
"""

import io

import numpy as np
from sagemaker.amazon.common import write_numpy_to_dense_tensor
from sagemaker.deserializers import JSONDeserializer
from sagemaker.estimator import Estimator
from sagemaker.inputs import TrainingInput
from sagemaker.serializers import CSVSerializer
from sklearn.linear_model import QuantileRegressor
from sklearn.model_selection import train_test_split

from harness import checks
from harness.targets import Capability, Lab

NEEDS = {
    Capability.TRAINING,
    Capability.BUILT_IN_ALGORITHMS,
    Capability.LOGS,
    Capability.ENDPOINTS,
}

PROTOBUF = "application/x-recordio-protobuf"


def play(lab: Lab) -> None:
    """Prepare, train, deploy, predict, measure, delete."""
    # The data: one column of temperatures, one of rain.
    weather = lab.fixture("seattle_weather")
    temperature = (
        ((weather["temp_max"] + weather["temp_min"]) / 2).to_numpy("float32").reshape(-1, 1)
    )
    rain = weather["precipitation"].to_numpy("float32")
    x_train, x_test, y_train, y_test = train_test_split(
        temperature, rain, test_size=0.2, random_state=0
    )

    # To S3, in the format that the algorithm reads.
    prefix = lab.name("rainfall")
    s3 = lab.boto.client("s3")
    for channel, features, labels in (("train", x_train, y_train), ("test", x_test, y_test)):
        buffer = io.BytesIO()
        write_numpy_to_dense_tensor(buffer, features, labels)
        lab.check(checks.round_trips(buffer.getvalue(), features, labels))
        lab.check(
            checks.rows_in_order(
                buffer.getvalue(), np.column_stack([labels, features]), content_type=PROTOBUF
            )
        )
        buffer.seek(0)
        s3.upload_fileobj(buffer, lab.bucket, f"{prefix}/{channel}/{channel}.pbr")

    # Train.
    linear = Estimator(
        image_uri=lab.image("linear-learner"),
        role=lab.role,
        instance_count=1,
        instance_type=lab.instance_type("training"),
        output_path=f"s3://{lab.bucket}/{prefix}/output",
        sagemaker_session=lab.session,
        hyperparameters={
            "feature_dim": 1,
            "mini_batch_size": 100,
            "predictor_type": "regressor",
            "epochs": 10,
            "num_models": 32,
            "loss": "absolute_loss",
        },
    )
    linear.fit(
        {
            channel: TrainingInput(f"s3://{lab.bucket}/{prefix}/{channel}", content_type=PROTOBUF)
            for channel in ("train", "test")
        },
        job_name=lab.name("rainfall"),
    )

    # Deploy, and ask for all test days at once: CSV in, JSON out.
    predictor = linear.deploy(
        initial_instance_count=1,
        instance_type=lab.instance_type("hosting"),
        endpoint_name=lab.name("rainfall"),
        serializer=CSVSerializer(),
        deserializer=JSONDeserializer(),
    )
    answer = predictor.predict(x_test)
    scores = [prediction["score"] for prediction in answer["predictions"]]
    some = range(0, len(x_test), 40)
    alone = {day: predictor.predict(x_test[day])["predictions"][0]["score"] for day in some}
    lab.check(checks.one_score_per_row_in_order(len(x_test), scores, alone))

    # The same request without the SDK.
    body = CSVSerializer().serialize(x_test)
    lab.check(checks.within_payload_limit(body))
    response = lab.boto.client("sagemaker-runtime").invoke_endpoint(
        EndpointName=predictor.endpoint_name, ContentType="text/csv", Body=body
    )
    lab.check(checks.content_type_is(response["ContentType"], "application/json"))
    low_level = JSONDeserializer().deserialize(response["Body"], response["ContentType"])
    lab.check(
        checks.high_level_equals_low_level(
            scores, [prediction["score"] for prediction in low_level["predictions"]]
        )
    )

    # How good is it? As good as a line can be, which the log says too.
    exact = QuantileRegressor(quantile=0.5, alpha=0).fit(x_train, y_train).predict(x_test)
    lab.check(checks.error_near_reference(y_test, scores, exact))
    lab.check(
        checks.metric_in_log_is_true(
            training_log(lab, linear.latest_training_job.name),
            r"#quality_metric: host=\S+, test absolute_loss <loss>=(\S+)",
            checks.mean_absolute_error(y_test, scores),
        )
    )
    lab.plot_predictions("Rain in mm", np.asarray(y_test), scores)

    # Clean up.
    predictor.delete_model()
    predictor.delete_endpoint()
    lab.boto.resource("s3").Bucket(lab.bucket).objects.filter(Prefix=f"{prefix}/").delete()


def training_log(lab: Lab, job: str) -> list[str]:
    """The lines that the job wrote to CloudWatch Logs."""
    events = (
        lab.boto.client("logs")
        .get_paginator("filter_log_events")
        .paginate(logGroupName="/aws/sagemaker/TrainingJobs", logStreamNamePrefix=f"{job}/")
    )
    return [event["message"] for page in events for event in page["events"]]
