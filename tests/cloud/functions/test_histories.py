"""Functions against a model: created, updated, published, aliased, invoked and deleted in any order."""

import itertools
from dataclasses import dataclass, field
from typing import Any

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

from harness.cloud.local_cloud import LocalCloud
from tests.cloud.functions.conftest import Lambdas

NAMES = ("alpha", "beta")
ALIASES = ("live", "next")
_codes = itertools.count()


def source(code: int) -> str:
    """A function that says which code it is, its setting, and its version."""
    answer = f"[{code}, os.environ['SETTING'], context.function_version]"
    return f"import os\ndef handler(event, context): return {answer}\n"


@dataclass
class Function:
    """What the model knows of one function: its newest code and setting, and those of its versions."""

    code: int
    setting: str
    versions: list[tuple[int, str]] = field(default_factory=list)
    changed: bool = False
    aliases: dict[str, int] = field(default_factory=dict)


class Histories(RuleBasedStateMachine):
    """The rules. Each invocation must be answered by the code that the model names."""

    def __init__(self, lambdas: Lambdas, cloud: LocalCloud) -> None:
        super().__init__()
        self.lambdas, self.cloud = lambdas, cloud
        self.functions: dict[str, Function] = {}

    @rule(name=st.sampled_from(NAMES), setting=st.sampled_from("xy"))
    def create(self, name: str, setting: str) -> None:
        """Create a function, or be told that it is there."""
        code = next(_codes)
        arguments: dict[str, Any] = {
            "FunctionName": name,
            "Environment": {"Variables": {"SETTING": setting}},
        }
        if name in self.functions:
            with pytest.raises(self.lambdas.client.exceptions.ResourceConflictException):
                self.lambdas.create(source(code), **arguments)
        else:
            self.lambdas.create(source(code), **arguments)
            self.functions[name] = Function(code, setting)

    def some(self, data: st.DataObject) -> tuple[str, Function]:
        """A function that is there."""
        name = data.draw(st.sampled_from(sorted(self.functions)))
        return name, self.functions[name]

    @precondition(lambda self: self.functions)
    @rule(data=st.data())
    def update_code(self, data: st.DataObject) -> None:
        """Give it other code."""
        name, function = self.some(data)
        function.code, function.changed = next(_codes), True
        self.lambdas.update(name, source(function.code))

    @precondition(lambda self: self.functions)
    @rule(data=st.data(), setting=st.sampled_from("xy"))
    def update_configuration(self, data: st.DataObject, setting: str) -> None:
        """Give it another variable."""
        name, function = self.some(data)
        function.setting, function.changed = setting, True
        self.lambdas.client.update_function_configuration(
            FunctionName=name, Environment={"Variables": {"SETTING": setting}}
        )

    @precondition(lambda self: self.functions)
    @rule(data=st.data())
    def publish(self, data: st.DataObject) -> None:
        """Publish a version; if nothing has changed, the last one comes back."""
        name, function = self.some(data)
        if function.changed or not function.versions:
            # moto remembers a change beyond the first version, and so publishes it twice.
            function.changed = function.changed and not function.versions
            function.versions.append((function.code, function.setting))
        version = self.lambdas.client.publish_version(FunctionName=name)["Version"]
        assert version == str(len(function.versions))

    @precondition(lambda self: any(f.versions for f in self.functions.values()))
    @rule(data=st.data(), alias=st.sampled_from(ALIASES))
    def point(self, data: st.DataObject, alias: str) -> None:
        """Make an alias point to a version."""
        names = sorted(name for name, f in self.functions.items() if f.versions)
        name = data.draw(st.sampled_from(names))
        function = self.functions[name]
        number = data.draw(st.integers(1, len(function.versions)))
        client = self.lambdas.client
        act = client.update_alias if alias in function.aliases else client.create_alias
        act(FunctionName=name, Name=alias, FunctionVersion=str(number))
        function.aliases[alias] = number

    @precondition(lambda self: self.functions)
    @rule(data=st.data())
    def delete(self, data: st.DataObject) -> None:
        """Delete it, with all of its versions."""
        name, _ = self.some(data)
        self.lambdas.client.delete_function(FunctionName=name)
        del self.functions[name]

    @rule(
        name=st.sampled_from(NAMES),
        qualifier=st.sampled_from([None, "$LATEST", "1", "2", *ALIASES]),
    )
    def invoke(self, name: str, qualifier: str | None) -> None:
        """Invoke it by any name: the right code answers, or it is not there."""
        arguments = {} if qualifier is None else {"Qualifier": qualifier}
        expected = self.expected(name, qualifier)
        if expected is None:
            error = self.lambdas.refusal(name, **arguments)["Error"]
            assert error["Code"] == "ResourceNotFoundException"
            return
        result = self.lambdas.invoke(name, {}, **arguments)
        assert result.json == expected
        assert result.version == expected[2]

    def expected(self, name: str, qualifier: str | None) -> list[Any] | None:
        """Code, setting and version that must answer."""
        function = self.functions.get(name)
        if function is None:
            return None
        if qualifier in (None, "$LATEST"):
            return [function.code, function.setting, "$LATEST"]
        number = function.aliases.get(qualifier) if qualifier in ALIASES else int(qualifier)
        if number is None or number > len(function.versions):
            return None
        return [*function.versions[number - 1], str(number)]

    @invariant()
    def only_code_of_functions_that_are_there(self) -> None:
        """On the disk there is no more code than that of the versions that are there."""
        versions = [
            version
            for function in self.functions.values()
            for version in (*function.versions, (function.code, function.setting))
        ]
        folder = self.cloud.functions.folder / "code"
        codes = list(folder.glob("task-*")) if folder.exists() else []
        assert len(codes) <= len({code for code, _ in versions})

    def teardown(self) -> None:
        """Delete what is left."""
        for name in self.functions:
            self.lambdas.client.delete_function(FunctionName=name)


@pytest.mark.recorded("notes/functions.md#versions-and-aliases")
def test_histories(lambdas: Lambdas, cloud: LocalCloud) -> None:
    """In any history each name runs the code that it stands for, and nothing is kept of what was deleted."""
    run_state_machine_as_test(
        lambda: Histories(lambdas, cloud),  # type: ignore[arg-type]
        settings=settings(
            max_examples=12,
            stateful_step_count=18,
            deadline=None,
            suppress_health_check=list(HealthCheck),
        ),
    )
    assert cloud.app.faults == []
