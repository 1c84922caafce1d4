"""Whether an image can be run here with its environment, and what SageMaker says if not."""

import re
from collections.abc import Mapping

from harness.cloud.errors import AwsError
from harness.cloud.sagemaker.refusals import refusal
from harness.containers.images import ImageNotFound, ImageNotSupported, Images, Implementation

_ECR = re.compile(
    r"(?P<registry>\d{12})\.dkr\.ecr(-fips)?\.[a-z0-9-]+\.[a-z0-9.-]+/(?P<repository>[^:@]+)([:@].+)?"
)


def image_of_training(images: Images, uri: str, role: str) -> Implementation:
    """The implementation of a training image, or CreateTrainingJob's refusal."""
    try:
        return images.resolve(uri)
    except ImageNotSupported as error:
        raise refusal("members_not_here", operation="CreateTrainingJob", members=error) from None
    except ImageNotFound:
        raise _training_refusal(uri, role) from None


def image_of_model(images: Images, uri: str, role: str) -> Implementation:
    """The implementation of a serving image, or CreateModel's refusal."""
    try:
        return images.resolve(uri)
    except ImageNotSupported as error:
        raise refusal("members_not_here", operation="CreateModel", members=error) from None
    except ImageNotFound:
        if _ECR.fullmatch(uri) is None:
            raise refusal("model_image_invalid", image=uri) from None
        raise refusal("model_image_not_found", image=uri, role=role) from None


def _training_refusal(uri: str, role: str) -> AwsError:
    image = _ECR.fullmatch(uri)
    if image is None:
        return refusal("training_image_invalid")
    return refusal(
        "training_image_not_found",
        repository=image["repository"],
        registry=image["registry"],
        role=role,
    )


def check_environment(environment: Mapping[str, str]) -> None:
    """Raise a ValidationException for a value that no process can have, though the model allows it."""
    for variable, value in environment.items():
        if "\0" in value:
            raise refusal("environment_value_invalid", variable=variable)
