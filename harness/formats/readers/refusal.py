"""The exceptions of the readers: data that a container refuses, in its words."""


class DataRefused(Exception):
    """A channel or a file that ends a job.

    `text` is what the container says. `cause`, where its family shows one, is the class of the exception below
    and its text, which has the place.
    """

    def __init__(self, text: str, cause: tuple[str, str] | None = None) -> None:
        super().__init__(text)
        self.text = text
        self.cause = cause


class RequestRefused(Exception):
    """A request that is answered with the HTTP `status` and `text`; `reason`, where there is one, goes to the log."""

    def __init__(self, status: int, text: str, reason: str = "") -> None:
        super().__init__(text)
        self.status = status
        self.text = text
        self.reason = reason
