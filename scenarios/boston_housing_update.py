"""A second model replaces the first behind a live endpoint, while a client keeps asking.

Two XGBoost models of Boston housing are trained; the endpoint is updated from one to the other by
UpdateEndpoint. Each request is answered, by the old model or by the new one, and then all is deleted.
"""

import threading

import pandas as pd
from sagemaker.deserializers import CSVDeserializer
from sagemaker.estimator import Estimator
from sagemaker.inputs import TrainingInput
from sagemaker.serializers import CSVSerializer
from sklearn.model_selection import train_test_split

from harness import checks
from harness.targets import Capability, Lab

NEEDS = {
    Capability.TRAINING,
    Capability.BUILT_IN_ALGORITHMS,
    Capability.ENDPOINTS,
    Capability.ENDPOINT_UPDATES,
}


def play(lab: Lab) -> None:
    """Train two models, deploy the first, update to the second under traffic, delete."""
    homes = lab.fixture("boston_housing")
    train, test = train_test_split(homes, test_size=0.33, random_state=0)
    x_test, y_test = test.drop(columns="MEDV").to_numpy(), test["MEDV"].to_numpy()
    mean = float(train["MEDV"].mean())

    prefix = lab.name("boston-update")
    csv = pd.concat([train["MEDV"], train.drop(columns="MEDV")], axis=1).to_csv(
        header=False, index=False
    )
    lab.check(checks.no_header(csv))
    lab.check(checks.label_column(csv, train["MEDV"]))
    lab.boto.client("s3").put_object(
        Bucket=lab.bucket, Key=f"{prefix}/train/train.csv", Body=csv.encode()
    )
    first = trained(lab, prefix, max_depth=2, num_round=20)
    second = trained(lab, prefix, max_depth=5, num_round=100)

    # The first model goes live.
    predictor = first.deploy(
        initial_instance_count=1,
        instance_type=lab.instance_type("hosting"),
        endpoint_name=lab.name("boston-update"),
        serializer=CSVSerializer(),
        deserializer=CSVDeserializer(),
    )
    endpoint = predictor.endpoint_name
    before = [float(row[0]) for row in predictor.predict(x_test)]
    lab.check(checks.error_below(y_test, before, bound=7.0, training_mean=mean))

    # The second gets a configuration of its own.
    sagemaker = lab.boto.client("sagemaker")
    name = lab.name("boston-update-second")
    sagemaker.create_model(
        ModelName=name,
        ExecutionRoleArn=lab.role,
        PrimaryContainer={"Image": second.image_uri, "ModelDataUrl": second.model_data},
    )
    sagemaker.create_endpoint_config(
        EndpointConfigName=name,
        ProductionVariants=[
            {
                "VariantName": "AllTraffic",
                "ModelName": name,
                "InitialInstanceCount": 1,
                "InstanceType": lab.instance_type("hosting"),
            }
        ],
    )

    # The switch, while a client sends the same row again and again.
    old_config = sagemaker.describe_endpoint(EndpointName=endpoint)["EndpointConfigName"]
    with Client(lab, endpoint, CSVSerializer().serialize(x_test[0])) as client:
        client.wait_for_answers(10)
        sagemaker.update_endpoint(EndpointName=endpoint, EndpointConfigName=name)
        sagemaker.get_waiter("endpoint_in_service").wait(EndpointName=endpoint)
        client.wait_for_answers(10)
    description = sagemaker.describe_endpoint(EndpointName=endpoint)
    lab.check(checks.config_switched(description, old=old_config, new=name))

    after = [float(row[0]) for row in predictor.predict(x_test)]
    lab.check(checks.answered_by_old_or_new(client.answers, old=before[0], new=after[0]))
    lab.check(checks.error_below(y_test, after, bound=5.0, training_mean=mean))
    lab.plot_predictions("Median value of homes in $1000, first model", y_test, before)
    lab.plot_predictions("Median value of homes in $1000, second model", y_test, after)

    # Tear down: the endpoint, both configurations, both models, the data.
    first_variant = sagemaker.describe_endpoint_config(EndpointConfigName=old_config)[
        "ProductionVariants"
    ][0]
    predictor.delete_model()
    predictor.delete_endpoint()
    sagemaker.delete_endpoint_config(EndpointConfigName=old_config)
    sagemaker.delete_model(ModelName=first_variant["ModelName"])
    lab.boto.resource("s3").Bucket(lab.bucket).objects.filter(Prefix=f"{prefix}/").delete()


def trained(lab: Lab, prefix: str, *, max_depth: int, num_round: int) -> Estimator:
    """An XGBoost estimator of the given size after `fit`."""
    xgb = Estimator(
        image_uri=lab.image("xgboost", "1.7-1"),
        role=lab.role,
        instance_count=1,
        instance_type=lab.instance_type("training"),
        output_path=f"s3://{lab.bucket}/{prefix}/output",
        sagemaker_session=lab.session,
    )
    xgb.set_hyperparameters(
        objective="reg:squarederror", eta=0.2, max_depth=max_depth, num_round=num_round
    )
    where = f"s3://{lab.bucket}/{prefix}/train"
    xgb.fit({"train": TrainingInput(where, content_type="csv")}, job_name=lab.name("boston-update"))
    return xgb


class Client(threading.Thread):
    """Sends one row without pause; keeps each answer, or the exception that came instead of one."""

    def __init__(self, lab: Lab, endpoint: str, row: str) -> None:
        super().__init__(daemon=True)
        self._runtime = lab.boto.client("sagemaker-runtime")
        self._request = {"EndpointName": endpoint, "ContentType": "text/csv", "Body": row}
        self._answered = threading.Condition()
        self._stopping = False
        self.answers: list[float | Exception] = []

    def run(self) -> None:
        """Send until told to stop."""
        while not self._stopping:
            answer: float | Exception
            try:
                response = self._runtime.invoke_endpoint(**self._request)
                answer = float(response["Body"].read())
            except Exception as error:
                answer = error
            with self._answered:
                self.answers.append(answer)
                self._answered.notify_all()

    def wait_for_answers(self, more: int) -> None:
        """Return when `more` answers have come from now on."""
        with self._answered:
            target = len(self.answers) + more
            self._answered.wait_for(lambda: len(self.answers) >= target)

    def __enter__(self) -> "Client":
        self.start()
        return self

    def __exit__(self, *exc_info: object) -> None:
        self._stopping = True
        self.join()
