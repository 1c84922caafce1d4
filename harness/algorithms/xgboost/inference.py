"""A served model: requests parsed, predicted and answered as each version of the image does it.

See docs/notes/xgboost.md#serving.
"""

import contextlib
import json
import threading
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
import xgboost as xgb

from harness.algorithms.serving import Answer, Invocation, ModelLocation, Refusal, UnusableModel
from harness.algorithms.xgboost import answers, artifact, requests
from harness.algorithms.xgboost.artifact import Model, UnreadableModel
from harness.algorithms.xgboost.errors import without_stack
from harness.algorithms.xgboost.versions import Version, all_versions, by_tag
from harness.formats.readers.refusal import RequestRefused
from harness.formats.readers.xgboost.content_types import Format, parse_header

Array = npt.NDArray[Any]

_CLASSES = ("multi:softmax", "binary:hinge")


def load(location: ModelLocation) -> "XGBoostPredictor":
    """Load every model of the directory; UnusableModel when there is none, or one that cannot be read."""
    try:
        version = by_tag(location.version) if location.version else all_versions()[-1]
    except KeyError as error:
        raise UnusableModel(f"Unable to load model: {error.args[0]}") from None
    if "SAGEMAKER_INFERENCE_OUTPUT" in location.environment:
        raise UnusableModel(
            "SAGEMAKER_INFERENCE_OUTPUT: selectable inference is not offered by this XGBoost"
        )
    try:
        found = artifact.files(location.model_dir)
    except OSError as error:
        raise UnusableModel(f"Unable to load model: {error.strerror}") from None
    if not found:
        raise UnusableModel("Unable to load model: there is no file in the model directory")
    if len(found) > 1 and not _ensembles(version, location.environment):
        found = found[:1]
    models = []
    for path in found:
        try:
            models.append(artifact.load(path))
        except UnreadableModel as error:
            raise UnusableModel(
                f"Unable to load model: Model {path.name} cannot be loaded:\n{error}"
            ) from None
    return XGBoostPredictor(models, version, location.environment)


def _ensembles(version: Version, environment: Mapping[str, str]) -> bool:
    return (
        version.has("ensembles")
        and environment.get("SAGEMAKER_INFERENCE_ENSEMBLE", "true").lower() == "true"
    )


class XGBoostPredictor:
    """One model, or several whose predictions are averaged (of classes: the most frequent)."""

    def __init__(
        self, models: Sequence[Model], version: Version, environment: Mapping[str, str]
    ) -> None:
        self._models = models
        self._version = version
        self._default_accept = environment.get("SAGEMAKER_DEFAULT_INVOCATIONS_ACCEPT") or "text/csv"
        self._batch = bool(environment.get("SAGEMAKER_BATCH"))
        configuration = json.loads(models[0].booster.save_config())["learner"]
        self._objective = configuration["objective"]["name"]
        # Of xgboost's boosters only gbtree predicts in several threads at a time.
        trees = configuration["gradient_booster"]["name"] == "gbtree"
        self._one_at_a_time = contextlib.nullcontext() if trees else threading.Lock()
        for model in models:
            # A request is small: starting threads for it would take longer than to predict.
            model.booster.set_param({"nthread": 1})

    def invoke(self, invocation: Invocation) -> Answer:
        """Answer one request. Refusal 415, 400, 406 or 500 with the image's text."""
        try:
            form, matrix = requests.matrix(invocation.body, invocation.content_type)
        except RequestRefused as refused:
            raise Refusal(refused.status, refused.text) from None
        try:
            self._check_width(matrix, form)
            predictions = self._predict(matrix)
        except (xgb.core.XGBoostError, ValueError) as error:
            raise Refusal(
                400, f"Unable to evaluate payload provided: {without_stack(error)}"
            ) from None
        if self._batch:
            return answers.batch(predictions)
        if not self._version.has("newline_answers"):
            return answers.comma_joined(predictions)
        return answers.accepted(predictions, self._accept(invocation.accept))

    def _accept(self, header: str | None) -> str:
        accept, _ = parse_header(header or "")
        if not accept or accept == "*/*":
            return self._default_accept
        if accept.lower() not in answers.ACCEPTED:
            raise Refusal(
                406,
                f"Accept type {accept} is not supported. Please use supported accept types: "
                f"{list(answers.ACCEPTED)}.",
            )
        return accept.lower()

    def _check_width(self, matrix: xgb.DMatrix, form: Format) -> None:
        # Only of a model that was pickled: that is all the image looks at.
        if not self._models[0].pickled:
            return
        trained, given = self._models[0].features, matrix.num_col()
        if form is Format.LIBSVM:
            if given > trained + 1:
                raise ValueError(
                    f"Feature size of libsvm inference data {given} is larger than "
                    f"feature size of trained model {trained}."
                )
        elif given not in (trained, trained - 1):
            raise ValueError(
                f"Feature size of {form.value} inference data {given} is not consistent "
                f"with feature size of trained model {trained}."
            )

    def _predict(self, matrix: xgb.DMatrix) -> Array:
        with self._one_at_a_time:
            each = [
                model.booster.predict(
                    matrix, iteration_range=self._rounds(model), validate_features=False
                )
                for model in self._models
            ]
        if len(each) == 1:
            return np.asarray(each[0])
        if self._objective in _CLASSES:
            return _most_frequent(np.stack(each))
        return np.asarray(np.mean(each, axis=0))

    def _rounds(self, model: Model) -> tuple[int, int]:
        # Before 1.3 the artifact holds all rounds and the image predicts with those up to the best one.
        if self._version.has("native_artifact") or model.best_iteration is None:
            return (0, 0)
        return (0, min(model.best_iteration + 1, model.booster.num_boosted_rounds()))


def _most_frequent(votes: Array) -> Array:
    """Per column the value that occurs most often, the smallest of them on a tie."""
    classes = np.unique(votes)
    counts = np.stack([(votes == each).sum(axis=0) for each in classes])
    return np.asarray(classes[counts.argmax(axis=0)])
