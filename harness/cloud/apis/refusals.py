"""What the data plane does not do, said by name."""

from harness.cloud.http import Response


class NotHere(Exception):
    """AWS would do it and this local cloud does not, as the text says."""

    def response(self) -> Response:
        """501, which nobody retries."""
        return Response.json(
            501, {"message": str(self)}, [(b"x-amzn-errortype", b"NotImplementedException")]
        )


def not_implemented(what: str) -> NotHere:
    """The refusal of something that has a name."""
    return NotHere(f"This local cloud does not implement {what}.")
