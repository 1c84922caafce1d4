"""How a first-party training program begins and how it reports its failure, line for line."""

import os
from collections.abc import Iterator
from contextlib import contextmanager

from harness.algorithms.contract import Job
from harness.algorithms.first_party.errors import AlgorithmFailure, NotHonoured
from harness.algorithms.first_party.hyperparameters import Table, Value
from harness.algorithms.first_party.log import Log

_PACKAGE = "/opt/amazon/lib/python3.7/site-packages/algorithm"
_PROVIDED = "/opt/ml/input/config/hyperparameters.json"
_HONOURED = {
    "_kvstore": ("auto", "local"),
    "_num_gpus": ("auto", "0"),
    "_num_kv_servers": ("auto",),
    "_enable_profiler": ("false", "False"),
}


@contextmanager
def reported(log: Log) -> Iterator[None]:
    """Put a failure into the log as the framework does, before it ends the program."""
    try:
        yield
    except AlgorithmFailure as failure:
        log.error(failure.text)
        raise


def configure(job: Job, table: Table, log: Log, defaults_file: str) -> dict[str, Value]:
    """Merge defaults with the job's hyperparameters and check them, saying so in the log.

    CustomerError for what the table does not allow, and for several hosts or hidden settings that
    nothing here would honour.
    """
    log.raw("Docker entrypoint called with argument(s): train")
    log.raw("Running default environment configuration script")
    defaults = table.defaults
    log.info(f"Reading default configuration from {_PACKAGE}/{defaults_file}: {defaults}")
    log.info(f"Merging with provided configuration from {_PROVIDED}: {dict(job.hyperparameters)}")
    merged = {**defaults, **job.hyperparameters}
    log.info(f"Final configuration: {merged}")
    values = table.check(merged)
    if not log.set_level(merged.get("_log_level", "info")):
        log.warning(f"Failed to set debug level to {merged['_log_level']}, using INFO")
    for name, words in _HONOURED.items():
        if merged.get(name, words[0]) not in words:
            raise NotHonoured(f"The value '{merged[name]}' of the '{name}' hyperparameter")
    if len(job.resources.hosts) > 1:
        raise NotHonoured(f"Training on {len(job.resources.hosts)} hosts")
    log.warning("Loggers have already been setup.")
    log.raw(f"Process {os.getpid()} is a worker.")
    log.info("Using default worker.")
    return values
