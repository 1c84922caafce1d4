"""The evidence markers, on test modules of their own."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests import evidence
from tests.evidence import UnresolvedError, resolve, slugs

NOTE = """\
# Training jobs

```
# not a heading
```

## What `CreateTrainingJob` checks, and when
### Names
### Names
"""


@pytest.fixture
def docs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Project documents with one note."""
    (tmp_path / "notes").mkdir()
    (tmp_path / "notes" / "jobs.md").write_text(NOTE)
    monkeypatch.setattr(evidence, "DOCS", tmp_path)
    return tmp_path


@pytest.mark.parametrize(
    "ref",
    [
        "sagemaker:CreateTrainingJob",
        "sagemaker:CreateTrainingJob.TrainingJobArn",
        "sagemaker:ProductionVariant",
        "sagemaker:ProductionVariant.InitialVariantWeight",
        "sagemaker:CreateEndpointConfigInput.ProductionVariants.VariantName",
        "sagemaker:StopTrainingJob",
        "sagemaker-runtime:InvokeEndpoint",
        "s3:Bucket",
        "https://docs.aws.amazon.com/sagemaker/latest/dg/xgboost.html",
        "notes/jobs.md#training-jobs",
        "notes/jobs.md#what-createtrainingjob-checks-and-when",
        "notes/jobs.md#names-1",
    ],
)
@pytest.mark.usefixtures("docs")
def test_a_reference_to_what_exists_resolves(ref: str) -> None:
    """A shape, an operation, a member, a page and a section of a note are found."""
    resolve(ref)


@pytest.mark.parametrize(
    ("ref", "why"),
    [
        ("sagemaker:CreateTrainJob", "no operation or shape 'CreateTrainJob'"),
        ("sagemaker:ProductionVariant.Weight", "no member 'Weight'"),
        ("sagemaker:EndpointName.Length", "no member 'Length'"),
        ("sagemaker:DeleteModel.ModelName.X", "no member 'ModelName.X'"),
        ("sagemakr:CreateModel", "no service 'sagemakr'"),
        ("notes/none.md#names", "docs/notes/none.md does not exist"),
        ("notes/jobs.md#not-a-heading", "no section #not-a-heading"),
        ("notes/jobs.md#names-2", "no section #names-2"),
        ("notes/jobs.md", "not a reference"),
        ("https://example.com/page", "not a reference"),
        ("", "not a reference"),
    ],
)
@pytest.mark.usefixtures("docs")
def test_a_reference_to_nothing_is_refused(ref: str, why: str) -> None:
    """What has no known form, and what names nothing, is refused and says why."""
    with pytest.raises(UnresolvedError, match=why):
        resolve(ref)


@given(st.lists(st.sampled_from(["Names", "names", "Names 1", "A: b, `c`"]), max_size=6))
def test_every_heading_has_an_anchor_of_its_own(headings: list[str]) -> None:
    """Equal headings get different anchors."""
    assert len(slugs("\n".join(f"## {heading}" for heading in headings))) == len(headings)


@pytest.mark.parametrize(
    ("marker", "complaint"),
    [
        (
            "@pytest.mark.documented('sagemaker:Nothing')",
            "*test_it*'sagemaker:Nothing'*no operation*",
        ),
        ("@pytest.mark.assumed()", "*test_it*assumed takes one reference*"),
        ("@pytest.mark.recorded('a', 'b')", "*test_it*recorded takes one reference*"),
    ],
)
def test_collection_fails_where_a_reference_leads_nowhere(
    pytester: pytest.Pytester, marker: str, complaint: str
) -> None:
    """The test and the reference are named, and nothing of the module runs."""
    pytester.makeconftest("from tests.evidence import pytest_make_collect_report")
    pytester.makepyfile(f"import pytest\n{marker}\ndef test_it():\n    pass")
    result = pytester.runpytest_inprocess()
    result.assert_outcomes(errors=1)
    result.stdout.fnmatch_lines([complaint])


def test_collection_passes_where_references_lead_somewhere(pytester: pytest.Pytester) -> None:
    """A marker on a class and one on a parameter count as well."""
    pytester.makeconftest("from tests.evidence import pytest_make_collect_report")
    pytester.makepyfile(
        """
        import pytest
        @pytest.mark.documented('sagemaker:CreateModel')
        class TestIt:
            @pytest.mark.parametrize(
                "x", [pytest.param(1, marks=pytest.mark.assumed('sagemaker:DeleteModel'))])
            def test_it(self, x):
                pass
        """
    )
    pytester.runpytest_inprocess().assert_outcomes(passed=1)
