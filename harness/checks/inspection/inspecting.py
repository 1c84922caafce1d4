"""From a path to all that can be said of the file: recognise it, read it through, ask each algorithm."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import BinaryIO

from harness.checks.inspection import (
    csv_lines,
    json_texts,
    libsvm_lines,
    numpy_arrays,
    protobuf_records,
    recognition,
    verdicts,
)
from harness.checks.inspection.report import (
    EVERY,
    LINEAR_LEARNER,
    XGBOOST,
    XGBOOST_0_72,
    Contents,
    Finding,
    Findings,
    Inspection,
    Place,
    Use,
    Verdict,
)
from harness.formats.readers.data_file import DataFile
from harness.formats.readers.refusal import DataRefused
from harness.formats.readers.xgboost import first_lines

ALGORITHMS = (LINEAR_LEARNER, XGBOOST, XGBOOST_0_72)

_ONLY_REQUESTS = (
    recognition.JSON,
    recognition.JSON_LINES,
    recognition.NPY,
    recognition.NPZ,
)


class _Silent:
    """Takes what a reader logs, and keeps none of it."""

    def info(self, message: str) -> None:
        pass

    warning = error = info


def intended_use(content_type: str, label_size: int | None) -> Use:
    """What a file is for when nobody says: requests have no labels, and may be JSON; everything else is training."""
    media = recognition.media_type(content_type)
    unlabelled = label_size == 0 or _label_size_of(content_type) == 0
    return Use.INFERENCE if unlabelled or media in _ONLY_REQUESTS else Use.TRAINING


def inspect(
    path: Path,
    content_type: str,
    *,
    use: Use | None = None,
    algorithms: Sequence[str] = (),
    label_size: int | None = None,
    delimiter: str | None = None,
    limit: int = 20,
    opened: Callable[[Path], BinaryIO] | None = None,
) -> Inspection:
    """Say what SageMaker would make of a file.

    `label_size` is the number of label columns of CSV, `delimiter` what stands between cells; when they are not
    given, the content type and the first line tell. `algorithms` are some of ALGORITHMS, by default those that
    are in EVERY. At most `limit` findings are kept. The file is read through once, and once by each algorithm,
    by way of `opened`; memory holds a block of it.
    """
    use = use or intended_use(content_type, label_size)
    content_type = _with_label_size(content_type, label_size, use)
    shown = f"{verdicts.CHANNEL}/{path.name}"
    file = DataFile(path, shown, opened) if opened else DataFile(path, shown)
    findings = Findings(limit)
    contents = _contents(file, content_type, use, delimiter, findings)
    asked = verdicts.training if use is Use.TRAINING else verdicts.inference
    found = tuple(asked(name, file, content_type) for name in algorithms or EVERY)
    return Inspection(
        str(path),
        file.size,
        content_type,
        use,
        contents,
        _agreeing(findings.kept(), found),
        findings.left_out(),
        found,
        asked=bool(algorithms),
    )


def _label_size_of(content_type: str) -> int | None:
    for part in content_type.lower().split(";")[1:]:
        name, _, value = part.partition("=")
        if name.strip() == "label_size" and value.strip().isdecimal():
            return int(value)
    return None


def _with_label_size(content_type: str, label_size: int | None, use: Use) -> str:
    """The content type of a channel or a request of CSV with so many label columns; the default is not spelt out."""
    default = 1 if use is Use.TRAINING else 0
    if label_size is None or recognition.media_type(content_type) != recognition.CSV:
        return content_type
    if _label_size_of(content_type) == label_size or label_size == default:
        return content_type
    return f"{content_type.split(';')[0].strip()};label_size={label_size}"


def _contents(
    file: DataFile, content_type: str, use: Use, delimiter: str | None, findings: Findings
) -> Contents:
    """Read a file through, as what it is said to be."""
    if file.name.startswith(".") and use is Use.TRAINING:
        findings.add(
            "hidden_file", "its name begins with a dot: a hidden file", refused_by=(XGBOOST,)
        )
    if not file.size:
        findings.add("empty", "the file is empty", refused_by=EVERY)
        return Contents()
    media = recognition.media_type(content_type)
    with file.open() as stream:
        head = stream.read(recognition.HEAD)
        stream.seek(0)
        kind = recognition.recognise(head)
        if kind is None and media == recognition.RECORDIO and recognition.is_text(head):
            kind = recognition.Kind("text", recognition.CSV)
        # One line of JSON Lines is JSON.
        one_line = (kind and kind.content_type, media) == (recognition.JSON, recognition.JSON_LINES)
        if kind is not None and kind.content_type != media and not one_line:
            other = f", whose content type is {kind.content_type}" if kind.content_type else ""
            findings.add(
                "other_format",
                f"the bytes are {kind.name}{other}",
                Place(offset=0),
                refused_by=EVERY,
            )
            return Contents(complete=False)
        if media == recognition.CSV:
            return _csv(file, stream, content_type, use, delimiter, findings)
        if media == recognition.RECORDIO:
            return protobuf_records.scan(stream, findings, labels=use is Use.TRAINING)
        if media == recognition.JSON_LINES:
            instances = use is Use.INFERENCE
            return json_texts.scan_json_lines(stream, findings, instances=instances)
        if media == recognition.JSON:
            return json_texts.scan_json(stream, findings)
        if media == recognition.LIBSVM:
            return libsvm_lines.scan(stream, findings, labels=use is Use.TRAINING)
        if media == recognition.NPY:
            return numpy_arrays.scan(stream, findings)
    return Contents(complete=False)


def _csv(
    file: DataFile,
    stream: BinaryIO,
    content_type: str,
    use: Use,
    delimiter: str | None,
    findings: Findings,
) -> Contents:
    default = 1 if use is Use.TRAINING else 0
    declared = _label_size_of(content_type)
    label_size = default if declared is None else declared
    sniffed, reason = None, ""
    try:
        sniffed = first_lines.delimiter(file, _Silent())
    except DataRefused as refused:
        reason = refused.text.splitlines()[-1]
    delimiter = delimiter or sniffed or ","
    if delimiter != ",":
        findings.add(
            "delimiter",
            f"cells are separated by {delimiter!r}; linear-learner knows commas only",
            Place(line=1),
            refused_by=(LINEAR_LEARNER,),
        )
    contents = csv_lines.scan(stream, findings, delimiter=delimiter, label_size=label_size)
    if contents.width is None:
        findings.add("empty", "there are no lines but blank ones", refused_by=EVERY)
    elif contents.width == 0:
        findings.add(
            "no_features", "a label and no feature in each line", Place(line=1), refused_by=EVERY
        )
    elif sniffed is None:
        findings.add("sniffing", f"XGBoost: {reason}", Place(line=1), refused_by=(XGBOOST,))
    if use is Use.TRAINING:
        if label_size != 1:
            findings.add(
                "label_size",
                f"label_size={label_size}: linear-learner trains with one label, XGBoost takes the first column",
                refused_by=EVERY,
            )
        _hint_at_labels(contents, findings)
    return contents


def _hint_at_labels(contents: Contents, findings: Findings) -> None:
    """Whether the first column is the label cannot be known; these are the mistakes that show."""
    labels = contents.labels
    if labels.count > 2 and labels.counting:
        findings.add(
            "index",
            "the first column counts up by one: the index of a table (to_csv without index=False)?",
            Place(column=1),
            shown=", ".join(f"{value:g}" for value in labels.first),
        )


def _agreeing(findings: tuple[Finding, ...], found: tuple[Verdict, ...]) -> tuple[Finding, ...]:
    """The findings, each with those algorithms alone that really refuse the file, and one for any other reason.

    A reader may be laxer than the look line by line, so that what it lets pass is a hint, or stricter.
    """
    refusing = [verdict for verdict in found if verdict.takes and not verdict.usable]
    marked = [
        replace(
            finding,
            refused_by=tuple(
                verdict.algorithm
                for verdict in refusing
                if _family(verdict.algorithm) in finding.refused_by
            ),
        )
        for finding in findings
    ]
    for verdict in refusing:
        if not any(verdict.algorithm in finding.refused_by for finding in marked):
            reason = verdict.text.strip().splitlines()[-1]
            marked.append(Finding("refused", reason, refused_by=(verdict.algorithm,)))
    return tuple(sorted(marked, key=lambda finding: not finding.refused_by))


def _family(algorithm: str) -> str:
    return XGBOOST if algorithm == XGBOOST_0_72 else algorithm
