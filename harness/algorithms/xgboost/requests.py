"""The body of a request, turned into xgboost's matrix."""

import xgboost as xgb

from harness.algorithms.xgboost.errors import without_stack
from harness.formats.readers.xgboost.content_types import Format
from harness.formats.readers.xgboost.requests import features, refuse


def matrix(body: bytes, content_type: str | None) -> tuple[Format, xgb.DMatrix]:
    """The format of a body, and its rows, features only. RequestRefused with the image's text."""
    form, rows = features(body, content_type)
    try:
        return form, xgb.DMatrix(rows, nthread=1)
    except (ValueError, xgb.core.XGBoostError) as error:
        refuse(form, str(type(error)), without_stack(error))
