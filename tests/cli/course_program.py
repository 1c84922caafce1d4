"""A program as courses have it, unchanged but for SDK v2 names; knows nothing of a local cloud."""

import os

import boto3
import numpy as np
import pandas as pd
import sagemaker
from sagemaker import get_execution_role
from sagemaker.estimator import Estimator
from sagemaker.inputs import TrainingInput
from sagemaker.serializers import CSVSerializer

session = sagemaker.Session()
role = get_execution_role()
bucket = session.default_bucket()
region = session.boto_region_name
print("role", role)
print("bucket", bucket)

# Ten times the first column plus the second.
rng = np.random.default_rng(0)
features = rng.uniform(size=(200, 2))
target = 10 * features[:, 0] + features[:, 1]
data_dir = "data"
os.makedirs(data_dir, exist_ok=True)  # noqa: PTH103 - as courses have it
frame = pd.DataFrame(np.column_stack([target, features]))
frame.to_csv(os.path.join(data_dir, "train.csv"), header=False, index=False)  # noqa: PTH118

prefix = "course"
train_location = session.upload_data(os.path.join(data_dir, "train.csv"), key_prefix=prefix)  # noqa: PTH118
print("uploaded", train_location)

container = sagemaker.image_uris.retrieve("xgboost", region, version="1.7-1")
xgb = Estimator(
    container,
    role,
    instance_count=1,
    instance_type="ml.m4.xlarge",
    output_path=f"s3://{bucket}/{prefix}/output",
    sagemaker_session=session,
)
xgb.set_hyperparameters(max_depth=4, eta=0.3, objective="reg:squarederror", num_round=30)
xgb.fit({"train": TrainingInput(train_location, content_type="csv")})

predictor = xgb.deploy(initial_instance_count=1, instance_type="ml.m4.xlarge")
predictor.serializer = CSVSerializer()
predictions = predictor.predict(features[:5]).decode("utf-8")
scores = np.array([float(line) for line in predictions.split()])
print("error", float(np.abs(scores - target[:5]).max()) < 1)
predictor.delete_endpoint()

answer = boto3.client("sagemaker").list_endpoints(StatusEquals="InService")
print("endpoints", [endpoint["EndpointName"] for endpoint in answer["Endpoints"]])
