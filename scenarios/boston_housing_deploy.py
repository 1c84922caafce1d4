"""Boston housing with XGBoost, deployed twice: by the SDK, and by the plain calls underneath.

CSV without header, label first. The high-level half uses Estimator, deploy and predict; the low-level half
makes the same model with CreateTrainingJob, CreateModel, CreateEndpointConfig, CreateEndpoint, InvokeEndpoint.
"""

import io
from typing import Any

import numpy as np
import pandas as pd
from sagemaker.deserializers import CSVDeserializer
from sagemaker.estimator import Estimator
from sagemaker.inputs import TrainingInput
from sagemaker.serializers import CSVSerializer
from sklearn.model_selection import train_test_split

from harness import checks
from harness.targets import Capability, Lab

NEEDS = {Capability.TRAINING, Capability.BUILT_IN_ALGORITHMS, Capability.ENDPOINTS}

HYPERPARAMETERS = {
    "max_depth": "5",
    "eta": "0.2",
    "gamma": "4",
    "min_child_weight": "6",
    "subsample": "0.8",
    "objective": "reg:squarederror",
    "early_stopping_rounds": "10",
    "num_round": "200",
}


def play(lab: Lab) -> None:
    """Prepare, train and deploy by the SDK, the same by boto3, compare, delete."""
    homes = lab.fixture("boston_housing")
    prices, attributes = homes[["MEDV"]], homes.drop(columns="MEDV")
    x_train, x_test, y_train, y_test = train_test_split(
        attributes, prices, test_size=0.33, random_state=0
    )
    x_train, x_validation, y_train, y_validation = train_test_split(
        x_train, y_train, test_size=0.33, random_state=0
    )

    # CSV for training: no header, no index, the label in the first column.
    prefix = lab.name("boston-housing")
    s3 = lab.boto.client("s3")
    for channel, labels, features in (
        ("train", y_train, x_train),
        ("validation", y_validation, x_validation),
    ):
        table = pd.concat([labels, features], axis=1)
        csv = table.to_csv(header=False, index=False)
        lab.check(checks.no_header(csv))
        lab.check(checks.label_column(csv, labels["MEDV"]))
        lab.check(checks.rows_in_order(csv, table))
        s3.upload_fileobj(io.BytesIO(csv.encode()), lab.bucket, f"{prefix}/{channel}.csv")

    high = by_the_sdk(lab, prefix, x_test)
    low = by_plain_calls(lab, prefix, x_test)
    lab.check(checks.high_level_equals_low_level(high, low))
    lab.check(
        checks.error_below(
            y_test["MEDV"], high, bound=5.0, training_mean=float(y_train["MEDV"].mean())
        )
    )
    lab.plot_predictions("Median value of homes in $1000", y_test["MEDV"], high)

    lab.boto.resource("s3").Bucket(lab.bucket).objects.filter(Prefix=f"{prefix}/").delete()


def by_the_sdk(lab: Lab, prefix: str, x_test: pd.DataFrame) -> list[float]:
    """Estimator, fit, deploy, predict, delete; the predictions for the test rows."""
    xgb = Estimator(
        image_uri=lab.image("xgboost", "1.7-1"),
        role=lab.role,
        instance_count=1,
        instance_type=lab.instance_type("training"),
        output_path=f"s3://{lab.bucket}/{prefix}/output",
        sagemaker_session=lab.session,
    )
    xgb.set_hyperparameters(**HYPERPARAMETERS)
    xgb.fit(
        {
            channel: TrainingInput(f"s3://{lab.bucket}/{prefix}/{channel}.csv", content_type="csv")
            for channel in ("train", "validation")
        },
        job_name=lab.name("boston-housing-high"),
    )
    predictor = xgb.deploy(
        initial_instance_count=1,
        instance_type=lab.instance_type("hosting"),
        endpoint_name=lab.name("boston-housing-high"),
        serializer=CSVSerializer(),
        deserializer=CSVDeserializer(),
    )
    lab.check(checks.within_payload_limit(CSVSerializer().serialize(x_test.to_numpy())))
    scores = [float(row[0]) for row in predictor.predict(x_test.to_numpy())]
    alone = {
        row: float(predictor.predict(x_test.to_numpy()[row])[0][0])
        for row in range(0, len(x_test), 25)
    }
    lab.check(checks.one_score_per_row_in_order(len(x_test), scores, alone))
    predictor.delete_model()
    predictor.delete_endpoint()
    return scores


def by_plain_calls(lab: Lab, prefix: str, x_test: pd.DataFrame) -> list[float]:
    """The same by boto3, step by step; the predictions for the test rows."""
    sagemaker = lab.boto.client("sagemaker")
    name = lab.name("boston-housing-low")
    image = lab.image("xgboost", "1.7-1")

    sagemaker.create_training_job(
        TrainingJobName=name,
        RoleArn=lab.role,
        AlgorithmSpecification={"TrainingImage": image, "TrainingInputMode": "File"},
        HyperParameters=HYPERPARAMETERS,
        InputDataConfig=[channel_of(lab, prefix, channel) for channel in ("train", "validation")],
        OutputDataConfig={"S3OutputPath": f"s3://{lab.bucket}/{prefix}/output"},
        ResourceConfig={
            "InstanceCount": 1,
            "InstanceType": lab.instance_type("training"),
            "VolumeSizeInGB": 5,
        },
        StoppingCondition={"MaxRuntimeInSeconds": 86400},
    )
    sagemaker.get_waiter("training_job_completed_or_stopped").wait(TrainingJobName=name)
    job = sagemaker.describe_training_job(TrainingJobName=name)

    sagemaker.create_model(
        ModelName=name,
        ExecutionRoleArn=lab.role,
        PrimaryContainer={
            "Image": image,
            "ModelDataUrl": job["ModelArtifacts"]["S3ModelArtifacts"],
        },
    )
    sagemaker.create_endpoint_config(
        EndpointConfigName=name,
        ProductionVariants=[
            {
                "VariantName": "XGB-Model",
                "ModelName": name,
                "InitialInstanceCount": 1,
                "InitialVariantWeight": 1,
                "InstanceType": lab.instance_type("hosting"),
            }
        ],
    )
    sagemaker.create_endpoint(EndpointName=name, EndpointConfigName=name)
    sagemaker.get_waiter("endpoint_in_service").wait(EndpointName=name)

    body = x_test.to_csv(header=False, index=False).encode()
    lab.check(checks.same_bytes_as_sdk(body, CSVSerializer().serialize(x_test)))
    response = lab.boto.client("sagemaker-runtime").invoke_endpoint(
        EndpointName=name, ContentType="text/csv", Body=body
    )
    lab.check(checks.content_type_is(response["ContentType"], "text/csv"))
    scores = np.loadtxt(io.BytesIO(response["Body"].read()), delimiter=",", ndmin=1)

    sagemaker.delete_endpoint(EndpointName=name)
    sagemaker.delete_endpoint_config(EndpointConfigName=name)
    sagemaker.delete_model(ModelName=name)
    return [float(score) for score in scores]


def channel_of(lab: Lab, prefix: str, channel: str) -> dict[str, Any]:
    """One entry of InputDataConfig."""
    return {
        "ChannelName": channel,
        "ContentType": "csv",
        "DataSource": {
            "S3DataSource": {
                "S3DataType": "S3Prefix",
                "S3Uri": f"s3://{lab.bucket}/{prefix}/{channel}.csv",
                "S3DataDistributionType": "FullyReplicated",
            }
        },
    }
