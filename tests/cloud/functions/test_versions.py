"""Versions, aliases and layers: which code runs, and under which name."""

import random
import sys
from typing import Any

import pytest

from tests.cloud.conftest import ACCOUNT, REGION
from tests.cloud.functions.conftest import OBEDIENT, Bell, Lambdas

NOTE = "notes/functions.md"
ARN = f"arn:aws:lambda:{REGION}:{ACCOUNT}:function:"
PYTHON = f"python{sys.version_info.major}.{sys.version_info.minor}"


def saying(version: str) -> str:
    """A function that tells which version of its code it is."""
    return f"""def handler(event, context):
    return {{
        "version_id": {version!r},
        "invoked_arn": context.invoked_function_arn,
        "version_from_ctx": context.function_version,
    }}
"""


def said(version: str, arn: str, from_context: str) -> dict[str, str]:
    """What it says."""
    return {"version_id": version, "invoked_arn": arn, "version_from_ctx": from_context}


@pytest.mark.recorded(f"{NOTE}#versions-and-aliases")
def test_versions_keep_their_code(lambdas: Lambdas) -> None:
    """Each version runs the code with which it was published, $LATEST the newest."""
    name = lambdas.create(saying("version1"))
    assert lambdas.client.publish_version(FunctionName=name)["Version"] == "1"
    lambdas.update(name, saying("version2"))
    latest = lambdas.invoke(name, {})
    assert (latest.version, latest.json) == ("$LATEST", said("version2", ARN + name, "$LATEST"))
    assert lambdas.invoke(name, {}, Qualifier="1").json == said("version1", f"{ARN}{name}:1", "1")
    assert lambdas.client.publish_version(FunctionName=name)["Version"] == "2"
    assert lambdas.invoke(f"{name}:2", {}).json == said("version2", f"{ARN}{name}:2", "2")
    assert lambdas.update(name, saying("version3"), Publish=True)["Version"] == "3"
    for qualifier in ("3", "2", "1"):
        result = lambdas.invoke(name, {}, Qualifier=qualifier)
        assert result.version == qualifier
        assert result.json == said(f"version{qualifier}", f"{ARN}{name}:{qualifier}", qualifier)
    assert lambdas.invoke(name, {}).json == said("version3", ARN + name, "$LATEST")


@pytest.mark.recorded(f"{NOTE}#versions-and-aliases")
def test_an_alias_moves(lambdas: Lambdas) -> None:
    """An alias runs the version that it points to, and its name stays in the ARN."""
    name = lambdas.create(saying("version1"), Publish=True)
    client, arn = lambdas.client, f"{ARN}{name}:alias1"
    client.create_alias(FunctionName=name, Name="alias1", FunctionVersion="1")
    first = said("version1", arn, "1")
    for function, arguments in ((name, {"Qualifier": "alias1"}), (arn, {}), (f"{name}:alias1", {})):
        result = lambdas.invoke(function, {}, **arguments)
        assert (result.version, result.json) == ("1", first)
    lambdas.update(name, saying("version2"))
    assert lambdas.invoke(arn, {}).json == first
    client.publish_version(FunctionName=name)
    assert lambdas.invoke(arn, {}).json == first
    client.update_alias(FunctionName=name, Name="alias1", FunctionVersion="2")
    assert lambdas.invoke(arn, {}).json == said("version2", arn, "2")
    client.create_alias(FunctionName=name, Name="newest", FunctionVersion="$LATEST")
    result = lambdas.invoke(name, {}, Qualifier="newest")
    assert (result.version, result.json["invoked_arn"]) == ("$LATEST", f"{ARN}{name}:newest")
    client.delete_alias(FunctionName=name, Name="alias1")
    assert lambdas.refusal(arn)["Error"]["Message"] == f"Function not found: {arn}"


@pytest.mark.recorded(f"{NOTE}#versions-and-aliases")
def test_an_alias_with_weights(lambdas: Lambdas) -> None:
    """An alias that routes half of its invocations to another version does so; a weight of 1 routes all."""
    name = lambdas.create(saying("version1"), Publish=True)
    lambdas.update(name, saying("version2"), Publish=True)
    weights: dict[str, Any] = {"AdditionalVersionWeights": {"2": 0.5}}
    lambdas.client.create_alias(
        FunctionName=name, Name="alias1", FunctionVersion="1", RoutingConfig=weights
    )
    random.seed(7)
    seen = [lambdas.invoke(name, {}, Qualifier="alias1").version for _ in range(60)]
    assert set(seen) == {"1", "2"}
    assert 15 <= seen.count("2") <= 45
    for weight, versions in ((1.0, {"2"}), (0.0, {"1"})):
        lambdas.client.update_alias(
            FunctionName=name,
            Name="alias1",
            RoutingConfig={"AdditionalVersionWeights": {"2": weight}},
        )
        seen = [lambdas.invoke(name, {}, Qualifier="alias1").version for _ in range(10)]
        assert set(seen) == versions


@pytest.mark.documented("lambda:DeleteFunction")
def test_a_version_that_is_deleted(lambdas: Lambdas) -> None:
    """A deleted version is not found; the others run on."""
    name = lambdas.create(saying("version1"), Publish=True)
    lambdas.update(name, saying("version2"), Publish=True)
    assert lambdas.invoke(name, {}, Qualifier="1").json["version_id"] == "version1"
    lambdas.client.delete_function(FunctionName=name, Qualifier="1")
    assert lambdas.refusal(name, Qualifier="1")["Error"]["Code"] == "ResourceNotFoundException"
    assert lambdas.invoke(name, {}, Qualifier="2").json["version_id"] == "version2"


@pytest.mark.recorded(f"{NOTE}#versions-and-aliases")
def test_an_update_during_an_invocation(lambdas: Lambdas, bell: Bell) -> None:
    """An invocation that runs during an update is answered by the old code, the next one by the new."""
    name = lambdas.create(
        OBEDIENT + "\nVARIANT = 'variant-1'\ndef do_variant(_, context): return VARIANT\n"
    )
    pending = lambdas.begin(name, bell.order())
    call = bell.wait()
    lambdas.update(name, "def handler(event, context): return 'variant-2'")
    assert lambdas.invoke(name, {}).json == "variant-2"
    call.answer({"do": "variant"})
    assert pending.result().json == "variant-1"
    assert lambdas.invoke(name, {}).json == "variant-2"


@pytest.mark.recorded(f"{NOTE}#versions-and-aliases")
def test_another_handler(lambdas: Lambdas) -> None:
    """A function whose handler is changed runs the other one from then on."""
    name = lambdas.create(
        "def handler(e, c): return {'handler': 'handler'}\n"
        "def handler_two(e, c): return {'handler': 'handler_two'}\n"
    )
    assert lambdas.invoke(name, {}).json == {"handler": "handler"}
    lambdas.client.update_function_configuration(FunctionName=name, Handler="handler.handler_two")
    assert lambdas.invoke(name, {}).json == {"handler": "handler_two"}
    lambdas.client.publish_version(FunctionName=name)
    assert lambdas.invoke(name, {}).json == {"handler": "handler_two"}


@pytest.mark.documented("https://docs.aws.amazon.com/lambda/latest/dg/packaging-layers.html")
def test_layers(lambdas: Lambdas) -> None:
    """Modules of layers can be imported; a later layer lies over an earlier one, the package over both."""
    first = lambdas.layer(
        "first",
        {
            "python/one.py": "WHO = 'first'",
            "python/both.py": "WHO = 'first'",
            "python/mine.py": "WHO = 'first'",
            f"python/lib/{PYTHON}/site-packages/deep.py": "WHO = 'first'",
        },
    )
    second = lambdas.layer("second", {"python/both.py": "WHO = 'second'"})
    source = """
import both, deep, mine, one
def handler(event, context): return [m.WHO for m in (one, both, mine, deep)]
"""
    name = lambdas.create(
        {"handler.py": source, "mine.py": "WHO = 'package'"}, Layers=[first, second]
    )
    assert lambdas.invoke(name, {}).json == ["first", "second", "package", "first"]
    lambdas.client.update_function_configuration(FunctionName=name, Layers=[second, first])
    assert lambdas.invoke(name, {}).json == ["first", "first", "package", "first"]
    lambdas.client.update_function_configuration(FunctionName=name, Layers=[])
    assert lambdas.invoke(name, {}).json["errorType"] == "Runtime.ImportModuleError"


@pytest.mark.documented("https://docs.aws.amazon.com/lambda/latest/dg/packaging-layers.html")
def test_programs_of_a_layer(lambdas: Lambdas) -> None:
    """What is in a layer's bin can be run by its name."""
    arn = lambdas.layer("programs", {"bin/greet": "#!/bin/sh\necho hello\n"})
    source = """
import os, subprocess
def handler(event, context):
    path = next(p for p in os.environ["PATH"].split(":") if p.endswith("/bin") and "opt-" in p)
    return sorted(os.listdir(path))
"""
    assert lambdas.invoke(lambdas.create(source, Layers=[arn]), {}).json == ["greet"]


def test_a_layer_that_is_gone(lambdas: Lambdas) -> None:
    """A function whose layer version was deleted says which one it misses."""
    arn = lambdas.layer("short-lived", {"python/one.py": ""})
    name = lambdas.create(Layers=[arn])
    lambdas.client.delete_layer_version(LayerName="short-lived", VersionNumber=1)
    error = lambdas.refusal(name)["Error"]
    assert error["Code"] == "ResourceNotFoundException"
    assert arn in error["Message"]


@pytest.mark.assumed(f"{NOTE}#execution-environments")
def test_another_python(lambdas: Lambdas) -> None:
    """A function for another Python runs on this one, and its log warns of it."""
    name = lambdas.create(Runtime="python3.9")
    assert lambdas.do(name, "environment").json["AWS_EXECUTION_ENV"] == "AWS_Lambda_python3.9"
    warning = f"[local cloud: the function asks for python3.9 and runs on {PYTHON}]\n"
    assert lambdas.messages(name)[1] == warning
