"""The verbs of `harness` and their options; the work is in the module of each verb."""

from pathlib import Path
from typing import Annotated

import typer

from harness import __version__

DEFAULT_PORT = 4580

app = typer.Typer(
    help="The whole SageMaker flow on your own machine, by the real SDK, with every invariant checked.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
    context_settings={"help_option_names": ["-h", "--help"]},
)

Host = Annotated[
    str, typer.Option(help="Address to listen on; anything but loopback is reachable by others.")
]
Port = Annotated[
    int, typer.Option(min=0, max=65535, help="Port of the local cloud; 0 takes a free one.")
]
Region = Annotated[str, typer.Option(help="Region that the SDKs are told.")]
Url = Annotated[
    str | None, typer.Option(help="A local cloud that runs already, e.g. http://127.0.0.1:4580.")
]
Pace = Annotated[
    str,
    typer.Option(
        help="fastest: no waits but the work itself. realistic: the waits of a real account."
    ),
]
SeedBucket = Annotated[
    list[str] | None,
    typer.Option(
        "--seed-bucket", metavar="NAME=DIR", help="Fill a bucket with the files of a folder."
    ),
]
EnforceIam = Annotated[
    bool,
    typer.Option(
        help="Let the policies of IAM users and roles decide what they may do, or let them do everything."
    ),
]
ScenarioFolders = Annotated[
    list[Path] | None,
    typer.Option(
        "--scenarios", metavar="DIR", help="A folder with scenarios of your own; may be repeated."
    ),
]


def _version(wanted: bool) -> None:
    if wanted:
        print(f"harness {__version__}")
        raise typer.Exit


@app.callback()
def harness(
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Print the version.")
    ] = False,
) -> None:
    """The whole SageMaker flow on your own machine, by the real SDK, with every invariant checked."""


@app.command("list")
def list_(scenarios: ScenarioFolders = None) -> None:
    """Show the scenarios, what each needs, and which targets can play it."""
    from harness.cli import listing

    listing.show(scenarios or [])


@app.command()
def run(
    names: Annotated[
        list[str] | None, typer.Argument(metavar="[NAME]...", help="Scenarios to play.")
    ] = None,
    everything: Annotated[
        bool, typer.Option("--all", help="Play every scenario that the target offers.")
    ] = False,
    target: Annotated[
        str, typer.Option(help="Where to play: embedded, local-mode, localstack or aws.")
    ] = "embedded",
    scenarios: ScenarioFolders = None,
    report: Annotated[
        Path | None,
        typer.Option(metavar="DIR", help="Write report.html, report.json and junit.xml there."),
    ] = None,
    json: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Write the results there.")
    ] = None,
    region: Region = "us-east-1",
    pace: Pace = "fastest",
    verbose: Annotated[bool, typer.Option(help="Also print what the scenarios print.")] = False,
) -> None:
    """Play scenarios; exit code 0 only if every check held and nothing was left behind."""
    from harness.cli import playing

    raise typer.Exit(
        playing.play(
            playing.Options(
                names=tuple(names or ()),
                everything=everything,
                target=target,
                folders=tuple(scenarios or ()),
                report=report,
                json=json,
                region=region,
                pace=pace,
                verbose=verbose,
            )
        )
    )


@app.command()
def up(
    host: Host = "127.0.0.1",
    port: Port = DEFAULT_PORT,
    seed_bucket: SeedBucket = None,
    pace: Pace = "fastest",
    enforce_iam: EnforceIam = True,
) -> None:
    """Run the local cloud in the foreground until Ctrl-C."""
    from harness.cli import cloud

    cloud.up(host, port, seed_bucket or [], pace, enforce_iam)


@app.command()
def env(port: Port = DEFAULT_PORT, url: Url = None, region: Region = "us-east-1") -> None:
    """Print shell exports that point the SDKs at a running local cloud: eval "$(harness env)"."""
    from harness.cli import cloud

    cloud.env(url or f"http://127.0.0.1:{port}", region)


@app.command(
    "exec", context_settings={"ignore_unknown_options": True, "allow_interspersed_args": False}
)
def exec_(
    command: Annotated[
        list[str], typer.Argument(metavar="-- CMD...", help="The program and its arguments.")
    ],
    url: Url = None,
    region: Region = "us-east-1",
    seed_bucket: SeedBucket = None,
    pace: Pace = "fastest",
    speed: Annotated[
        float | None,
        typer.Option(
            min=1, help="How many times quicker than on AWS the SDK polls; 1 leaves it as it is."
        ),
    ] = None,
    enforce_iam: EnforceIam = True,
) -> None:
    """Run any program against a local cloud that lives as long as the program; its exit code is ours."""
    from harness.cli import cloud

    raise typer.Exit(
        cloud.execute(
            command,
            url=url,
            region=region,
            seeds=seed_bucket or [],
            pace=pace,
            speed=speed,
            enforce_iam=enforce_iam,
        )
    )


@app.command()
def doctor() -> None:
    """Show what this machine has and what is missing for what."""
    from harness.cli.doctor import examine

    raise typer.Exit(examine())
