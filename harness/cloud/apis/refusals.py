"""What the data plane does not do, said by name."""

from harness.cloud.http import Response


class NotHere(Exception):
    """AWS would do it and this local cloud does not. The text begins with what it is."""

    def __init__(self, what: str) -> None:
        super().__init__(f"This local cloud does not implement {what}.")

    def response(self) -> Response:
        """501, which nobody retries."""
        return Response.json(
            501, {"message": str(self)}, [(b"x-amzn-errortype", b"NotImplementedException")]
        )
