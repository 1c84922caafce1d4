"""The picture of a regression: predicted against actual values, as SVG for a light and for a dark page."""

import base64
import io
from dataclasses import dataclass

from harness.checks import r2, root_mean_squared_error
from harness.runs.results import Prediction


@dataclass(frozen=True)
class Figure:
    """Two data URIs of one picture, its numbers, and what it shows in words."""

    title: str
    light: str
    dark: str
    rmse: float
    r2: float
    rows: int

    @property
    def description(self) -> str:
        """For those who do not see it."""
        return (
            f"{self.title}: predicted against actual values of {self.rows} rows;"
            f" RMSE {self.rmse:.3f}, R2 {self.r2:.3f}."
        )


_COLOURS = {
    "light": {"ink": "#3d4552", "faint": "#c9ced6", "point": "#2563c9", "line": "#c2410c"},
    "dark": {"ink": "#b6bfcc", "faint": "#3c4654", "point": "#7db2ff", "line": "#ff9e64"},
}


def draw(prediction: Prediction) -> Figure:
    """Draw it."""
    return Figure(
        prediction.title,
        _svg(prediction, "light"),
        _svg(prediction, "dark"),
        root_mean_squared_error(prediction.actual, prediction.predicted),
        r2(prediction.actual, prediction.predicted),
        len(prediction.actual),
    )


def _svg(prediction: Prediction, theme: str) -> str:
    import matplotlib
    from matplotlib.figure import Figure as Canvas

    colours = _COLOURS[theme]
    with matplotlib.rc_context({"svg.hashsalt": "harness", "font.size": 10}):
        canvas = Canvas(figsize=(5.2, 4.2), layout="constrained")
        axes = canvas.add_subplot()
        actual, predicted = prediction.actual, prediction.predicted
        low, high = min(*actual, *predicted), max(*actual, *predicted)
        axes.plot([low, high], [low, high], color=colours["line"], linewidth=1.2, label="exact")
        axes.scatter(
            actual, predicted, s=16, color=colours["point"], alpha=0.65, linewidths=0, label="rows"
        )
        axes.set_xlabel("actual", color=colours["ink"])
        axes.set_ylabel("predicted", color=colours["ink"])
        axes.tick_params(colors=colours["ink"])
        axes.grid(color=colours["faint"], linewidth=0.5)
        axes.set_axisbelow(True)
        for side, spine in axes.spines.items():
            spine.set_color(colours["faint"])
            spine.set_visible(side in ("left", "bottom"))
        out = io.BytesIO()
        canvas.savefig(out, format="svg", transparent=True, metadata={"Date": None})
    return "data:image/svg+xml;base64," + base64.b64encode(out.getvalue()).decode("ascii")
