"""The training program of linear-learner, from channels to artifact, and its log."""

import json
import time
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from harness.algorithms.contract import Job
from harness.algorithms.first_party import startup
from harness.algorithms.first_party.channels import Dataset, read_labeled
from harness.algorithms.first_party.errors import CustomerError
from harness.algorithms.first_party.log import Log, Timings
from harness.algorithms.linear_learner import candidates, losses, scaling, scores, selection
from harness.algorithms.linear_learner.candidates import Candidate
from harness.algorithms.linear_learner.descent import Descent
from harness.algorithms.linear_learner.model import Model
from harness.algorithms.linear_learner.scaling import Scaling
from harness.algorithms.linear_learner.settings import TABLE, Settings, settle
from harness.formats import diagnosis

_CHANNELS = ("train", "validation", "test")


def train(job: Job) -> None:
    """Train, report and save. JobFailure for anything that the caller has to mend."""
    began = time.time()
    log = Log("Linear Learner", job.resources.current_host)
    with startup.reported(log):
        values = startup.configure(job, TABLE, log, "resources/default-input.json")
        settings = settle(values)
        _Training(job, settings, log, began).run()


@dataclass(frozen=True)
class _Prepared:
    """A data set in training coordinates."""

    data: Dataset
    coordinates: object
    labels: npt.NDArray[np.float32]
    weights: npt.NDArray[np.float32] | None


@dataclass(frozen=True)
class _Best:
    """The best candidate so far."""

    value: float
    loss: float
    epoch: int
    candidate: int
    parameters: npt.NDArray[np.float32]


class _Training:
    def __init__(self, job: Job, settings: Settings, log: Log, began: float) -> None:
        self._job, self._settings, self._log, self._began = job, settings, log, began
        self._timings = Timings()

    def run(self) -> None:
        read = self._read()
        train = read["train"]
        self._scaling = scaling.fit(train, self._settings)
        self._say_scaling(self._scaling)
        self._log.info("Number of GPUs being used: 0")
        self._loss = losses.choose(self._settings, self._scaling.label_deviation)
        self._unit = self._scaling.label_deviation**self._loss.power
        self._candidates = candidates.propose(self._settings, _balance(train))
        self._class_weights = _class_weights(train, self._settings)
        prepared = {name: self._prepare(data) for name, data in read.items() if name != "test"}
        self._timings.add("initialize.time", 1000 * (time.time() - self._began))
        best = self._descend(prepared["train"], prepared.get("validation"))
        self._finish(best, read)

    def _read(self) -> dict[str, Dataset]:
        extra = sorted(set(self._job.channels) - set(_CHANNELS))
        if extra:
            raise CustomerError(
                f"The data channel '{extra[0]}' is not one of 'train', 'validation', 'test'"
            )
        if "train" not in self._job.channels:
            raise CustomerError(diagnosis.say("empty_channel", channel="train"))
        found: dict[str, Dataset] = {}
        for name in _CHANNELS:
            if name in self._job.channels:
                started = time.time()
                found[name] = read_labeled(
                    self._job.channels[name], self._settings.mini_batch_size, float32_only=True
                )
                self._say_read(found[name], started)
        self._log.info("Checkpoint loading and saving are disabled.")
        self._log.info("Create Store: local")
        width = self._settings.feature_dim or found["train"].width
        for data in found.values():
            if data.width != width:
                raise CustomerError(
                    diagnosis.say(
                        "feature_dimension", channel=data.channel, expected=width, found=data.width
                    )
                )
            _check_labels(data, self._settings)
        return found

    def _say_read(self, data: Dataset, started: float) -> None:
        stamp = time.strftime("%Y-%m-%d %H:%M:%S", time.gmtime())
        now = time.time()
        stats = {
            "data_pipeline": f"/opt/ml/input/data/{data.channel}",
            "epoch": 0,
            "duration": int(1000 * (now - started)),
            "num_examples": -(-len(data) // self._settings.mini_batch_size),
            "num_bytes": data.size,
        }
        self._log.raw(
            f"[{stamp}.{int(now * 1000) % 1000:03d}] [tensorio] [info] "
            f"epoch_stats={json.dumps(stats)}"
        )

    def _say_scaling(self, found: Scaling) -> None:
        shown = {
            "stdev_weight": found.deviation.astype(np.float32),
            "stdev_label": found.label_deviation if self._settings.regression else None,
            "mean_label": found.label_mean if self._settings.regression else None,
            "mean_weight": found.mean.astype(np.float32),
        }
        self._log.info(f"Scaling model computed with parameters:\n {shown}")

    def _prepare(self, data: Dataset) -> _Prepared:
        weights = None
        if self._class_weights is not None:
            weights = self._class_weights[data.labels.astype(np.int64)]
        labels = self._scaling.labels(data.labels)
        return _Prepared(data, self._scaling.coordinates(data.features), labels, weights)

    def _descend(self, train: _Prepared, validation: _Prepared | None) -> _Best:
        settings = self._settings
        batches = settings.epochs * -(-len(train.data) // settings.mini_batch_size)
        descent = Descent(settings, self._scaling, self._candidates, self._loss, batches)
        self._descent = descent
        best: _Best | None = None
        stale, reference = 0, -np.inf
        self._log.metrics(
            self._began,
            {"Total Records Seen": 0, "Number of Records Since Last Reset": 0},
            Meta="init_train_data_iter",
        )
        for epoch in range(settings.epochs):
            started = time.time()
            seen = descent.epoch(
                train.coordinates, train.labels, train.weights, self._job.stop_requested.is_set
            )
            spent = max(time.time() - started, 1e-9)
            self._timings.add("update.time", 1000 * spent)
            judged = self._report_epoch(epoch, train, validation)
            best = judged if best is None or _better(judged, best) else best
            improved = best is judged
            criteria, value = self._criterion(best)
            self._log.info(
                f"#early_stopping_criteria_metric: host={self._log.host}, epoch={epoch}, "
                f"criteria={criteria}, value={value}"
            )
            if improved:
                self._log.info(f"Epoch {epoch}: Loss improved. Updating best model")
            self._log.info(
                f"#progress_metric: host={self._log.host}, "
                f"completed {100 * (epoch + 1) // settings.epochs} % of epochs"
            )
            self._log.metrics(
                started, {"Number of Records Since Last Reset": seen},
                epoch=epoch, Meta="training_data_iter",
            )  # fmt: skip
            self._log.info(
                f"#throughput_metric: host={self._log.host}, "
                f"train throughput={seen / spent} records/second"
            )
            if self._job.stop_requested.is_set():
                self._log.info("Training was asked to stop. Saving the best model so far.")
                break
            stale = (
                0 if best.value > _bar(reference, settings.early_stopping_tolerance) else stale + 1
            )
            if stale == 0:
                reference = best.value
            if stale >= settings.early_stopping_patience:
                self._log.info(
                    f"Early stop condition met. Stopping training: no improvement by "
                    f"{settings.early_stopping_tolerance} for {stale} epochs."
                )
                break
        assert best is not None  # there is at least one epoch
        return best

    def _report_epoch(self, epoch: int, train: _Prepared, validation: _Prepared | None) -> _Best:
        """Log every candidate's loss; the best candidate by the criterion of the job."""
        descent = self._descent
        found: dict[str, npt.NDArray[np.float64]] = {}
        for name, data in (("train", train), ("validation", validation)):
            if data is None:
                continue
            started = time.time()
            weights = self._record_weights(data)
            found[name] = self._unit * descent.objectives(data.coordinates, data.labels, weights)
            for number, value in enumerate(found[name].tolist()):
                self._log.metrics(
                    started, {f"{name}_{self._loss.objective}": value}, model=number, epoch=epoch
                )
        judge, judged = ("train", train) if validation is None else ("validation", validation)
        started = time.time()
        lost = np.where(np.isfinite(found[judge]), found[judge], np.inf)
        if selection.by_loss(self._settings):
            values = -lost
            if validation is None and (self._settings.wd or self._settings.l1):
                # Regularisation that was asked for counts; otherwise it would lose to the fit.
                values = values - self._unit * descent.penalties()
        else:
            part = selection.sample(judged.coordinates)
            values = selection.values(self._settings, descent.scores(part), judged.labels)
        chosen = int(np.lexsort((lost, -values))[0])
        self._timings.add("check_early_stopping.time", 1000 * (time.time() - started))
        for name, objective in found.items():
            self._log.quality(
                name, self._loss.objective, "loss", float(objective[chosen]), epoch=epoch
            )
        return _Best(
            float(values[chosen]), float(lost[chosen]), epoch, chosen, descent.column(chosen)
        )

    def _record_weights(self, data: _Prepared) -> npt.NDArray[np.float32] | None:
        """Weights of the records in the objective: those of all candidates, where they agree."""
        weights = {candidate.positive_weight for candidate in self._candidates}
        if weights in ({1.0}, set()) or len(weights) > 1:
            return data.weights
        return np.where(data.labels > 0.5, weights.pop(), 1.0).astype(np.float32)

    def _criterion(self, best: _Best) -> tuple[str, float]:
        if selection.by_loss(self._settings):
            return self._loss.objective, best.loss
        return f"sampled_{self._settings.binary_classifier_model_selection_criteria}", best.value

    def _finish(self, best: _Best, read: Mapping[str, Dataset]) -> None:
        started = time.time()
        weights, bias = self._scaling.unfold(best.parameters)
        with np.errstate(over="ignore"):
            model = Model(
                self._settings.predictor_type,
                self._settings.loss,
                weights.astype(np.float32),
                bias.astype(np.float32),
            )
        numbers = (best.loss, model.weights, model.bias)
        if not all(np.isfinite(number).all() for number in numbers):
            raise CustomerError(
                "The training loss diverged for every model. Please lower learning_rate."
            )
        if self._settings.binary:
            model = self._calibrated(model, read.get("validation", read["train"]))
        judge = "validation" if "validation" in read else "train"
        self._say_scores(judge, model, read[judge])
        self._say_best(self._candidates[best.candidate])
        if "test" in read:
            self._say_scores("test", model, read["test"])
        else:
            self._log.info("Test data is not provided.")
        model.save(self._job.model_dir)
        self._timings.add("finalize.time", 1000 * (time.time() - started))
        self._timings.add("totaltime", 1000 * (time.time() - self._began))
        self._log.metrics(self._began, self._timings.metrics())

    def _calibrated(self, model: Model, data: Dataset) -> Model:
        neutral = selection.neutral_threshold(self._settings.loss)
        threshold = neutral
        if not selection.by_loss(self._settings):
            count = self._settings.num_calibration_samples
            served = model.scores(data.features[:count])
            threshold = selection.calibrate(self._settings, served, data.labels[:count]).threshold
        return Model(model.predictor_type, model.loss, model.weights, model.bias, threshold)

    def _say_scores(self, name: str, model: Model, data: Dataset) -> None:
        found = scores.of(model, data, self._settings)
        for score in found:
            self._log.info(f"#{name}_score ({self._log.host}) : {(score.name, score.value)}")
        for score in found:
            self._log.quality(name, score.name, score.kind, score.value)

    def _say_best(self, candidate: Candidate) -> None:
        schedule = self._descent.schedule
        shown: dict[str, object] = {
            "optimizer": candidate.optimizer,
            "learning_rate": candidate.learning_rate,
            "wd": candidate.wd,
            "l1": candidate.l1,
        }
        if self._settings.use_lr_scheduler:
            shown["lr_scheduler_step"] = schedule.step
            shown["lr_scheduler_factor"] = schedule.factor
            shown["lr_scheduler_minimum_lr"] = schedule.minimum
        self._log.info(f"Best model found for hyperparameters: {json.dumps(shown)}")


def _better(judged: _Best, best: _Best) -> bool:
    return (judged.value, -judged.loss) > (best.value, -best.loss)


def _bar(reference: float, tolerance: float) -> float:
    """What a value must exceed to count as an improvement (larger is better, losses are negated)."""
    return reference + tolerance * abs(reference) if np.isfinite(reference) else reference


def _balance(data: Dataset) -> float:
    """Negative examples for each positive one; 1 where a class is missing."""
    positive = float((data.labels > 0.5).sum())
    negative = len(data) - positive
    return negative / positive if positive and negative else 1.0


def _class_weights(data: Dataset, settings: Settings) -> npt.NDArray[np.float32] | None:
    """Weights that make classes equally important, 1 on average over the records."""
    if (
        settings.predictor_type != "multiclass_classifier"
        or not settings.balance_multiclass_weights
    ):
        return None
    counts = np.bincount(data.labels.astype(np.int64), minlength=settings.num_classes)
    present = max(int((counts > 0).sum()), 1)
    weights = len(data) / (present * np.maximum(counts, 1))
    return np.asarray(weights, np.float32)


def _check_labels(data: Dataset, settings: Settings) -> None:
    if settings.regression:
        return
    last = 1 if settings.binary else settings.num_classes - 1
    wrong = (data.labels < 0) | (data.labels > last) | (data.labels != np.floor(data.labels))
    if wrong.any():
        found = float(data.labels[int(wrong.argmax())])
        name = "binary_labels" if settings.binary else "class_labels"
        raise CustomerError(
            diagnosis.say(name, channel=data.channel, last=last, found=f"{found:g}")
        )
