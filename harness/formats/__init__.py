"""Bytes to data and back: the formats of SageMaker's channels, requests and answers. Knows nothing else here.

| module | format | content type |
|---|---|---|
| `recordio` | recordIO-protobuf | application/x-recordio-protobuf |
| `csv` | CSV | text/csv |
| `jsonlines` | JSON Lines | application/jsonlines |
| `json_requests` | requests with instances, in JSON and in JSON Lines | application/json, application/jsonlines |
| `libsvm` | libsvm | text/libsvm, text/x-libsvm |
| `npy` | numpy's arrays | application/x-npy |
| `npz` | scipy's sparse matrices | application/x-npz |
| `image_records`, `image_lists` | MXNet's .rec with .idx, and .lst | application/x-recordio |

Each has `dumps` and `loads` for bytes, `dump` and `load` for binary files and `iter_records` for streams; those
that read matrices have `iter_batches` too. All hold one batch in memory, never the stream, but for JSON and zip
archives, which have a limit. Whatever is wrong with data is an `errors.FormatError`, which says where.

Below them: `framing` (recordIO's records), `record_message` and `uniform` (their protobuf), `lines`,
`strict_json`, `decimals`, `libsvm_grammar`, `libsvm_rows` and `npy_header`. `diagnosis` has the texts that
containers print about bad data.
"""
