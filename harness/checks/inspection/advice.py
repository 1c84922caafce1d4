"""What to do about a finding, in one line."""

_ADVICE = {
    "header": "write no header: to_csv(header=False)",
    "index": "if it is the index, leave it out: to_csv(index=False)",
    "byte_order_mark": "save as UTF-8 without byte order mark: in pandas encoding='utf-8', not 'utf-8-sig'",
    "not_a_number": "turn words into numbers (one-hot or integer codes), and commas in decimals into points",
    "missing_value": "fill in or drop what is missing before writing",
    "missing_label": "drop the records without a label",
    "infinite_value": "replace infinities and values beyond 3.4e38 before writing",
    "infinite_label": "drop or replace labels that are infinite or beyond 3.4e38",
    "width": "look for a delimiter too many or too few in the lines named",
    "open_quote": "close the quote, or write numbers without quotes",
    "delimiter": "write commas: to_csv(sep=',')",
    "no_features": "write the label and at least one feature: a file for training has both",
    "no_label": "write the labels too: write_numpy_to_dense_tensor(file, features, labels)",
    "tensor": "convert first: features.astype('float32'), labels.astype('float32')",
    "record": "write the file once more; the records named were not made from one matrix",
    "framing": "the file is cut short or damaged: upload or write it once more",
    "hidden_file": "give it a name that does not begin with a dot",
    "empty": "look whether what writes it was closed or flushed",
    "not_json": "write each record with json.dumps, one to a line",
    "lenient_json": "write what every reader takes: no NaN, no byte order mark, no key twice",
    "instance": 'an instance is {"features": [1.5, 16.0]}',
    "instance_width": "give each instance the same number of features",
    "not_libsvm": "a line is <label> <index>:<value> <index>:<value> ...",
    "label_size": "a file of features alone can be checked as a request: --use inference",
}

_COMPRESSED = "unpack it: the containers see the bytes as they are"
_OTHER = "say so with --content-type, or write the file in the format that is meant"


def advice(kind: str, sentence: str = "") -> str | None:
    """What to do about a kind of finding; None where there is nothing to be said."""
    if kind == "other_format":
        return _COMPRESSED if "compressed" in sentence else _OTHER
    return _ADVICE.get(kind)
