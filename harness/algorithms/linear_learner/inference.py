"""linear-learner behind /invocations. See docs/notes/linear-learner.md#answers."""

from collections.abc import Mapping

from harness.algorithms.first_party import inference
from harness.algorithms.first_party.inference import BadPayload, Prediction
from harness.algorithms.linear_learner import model
from harness.algorithms.serving import Answer, Invocation, ModelLocation, UnusableModel
from harness.formats.errors import FormatError
from harness.formats.readers.first_party import content_types

_ANSWERS = (content_types.JSON, content_types.JSON_LINES, content_types.RECORDIO)


class LinearPredictor:
    """Answers with a score per record, and with the predicted label where there are labels."""

    def __init__(self, served: model.Model, environment: Mapping[str, str]) -> None:
        self._model = served
        self._environment = environment

    def invoke(self, invocation: Invocation) -> Answer:
        """Predict every record of the request, in order. Refusal for what cannot be answered."""
        wanted = inference.accepted(invocation, self._environment, _ANSWERS)
        features = inference.features(invocation, finite=True)
        if features.shape[1] != self._model.width:
            raise BadPayload(
                f"The feature dimension of the input: {features.shape[1]} does not match the "
                f"feature dimension of the model: {self._model.width}. "
                "Please fix the input and try again."
            )
        return inference.answer(self._predictions(features), wanted)

    def _predictions(self, features: object) -> list[Prediction]:
        scores = self._model.scores(features)
        if self._model.predictor_type == "regressor":
            return [{"score": score} for score in scores.tolist()]
        labels = self._model.predicted_labels(scores).tolist()
        return [
            {"score": score, "predicted_label": label}
            for score, label in zip(scores.tolist(), labels, strict=True)
        ]


def load(location: ModelLocation) -> LinearPredictor:
    """The model in the model directory. UnusableModel when there is none."""
    path = location.model_dir / model.ARTIFACT
    try:
        data = path.read_bytes()
    except OSError as error:
        raise UnusableModel(f"unable to load model: {error}") from None
    if not data:
        raise UnusableModel(
            "Unable to load model. Model size is 0 bytes, indicating an incorrect model location "
            "or an empty file. Please check that the location of the model is correct."
        )
    try:
        return LinearPredictor(model.load(data), location.environment)
    except FormatError as error:
        raise UnusableModel(f"unable to load model: {error}") from None
