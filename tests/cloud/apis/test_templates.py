"""Mapping templates: recorded outputs, the language, and templates that are wrong."""

import contextlib
import json
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from harness.cloud.apis.templates import json_path, rendering, values
from harness.cloud.apis.templates.errors import TemplateError
from harness.cloud.apis.templates.rendering import MAX_TURNS, render
from harness.cloud.apis.templates.variables import variables

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=8),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3)
    ),
    max_leaves=8,
)
PARAMETERS = {
    "path": {"id": "7", "both": "path"},
    "querystring": {"q": "?", "both": "query"},
    "header": {"X-Token": "t", "both": "header"},
}


def rendered(template: str, body: Any = None, context: dict[str, Any] | None = None) -> str:
    """A template's output; `body` is a text, or what becomes JSON."""
    text = body if isinstance(body, str) else "" if body is None else json.dumps(body)
    names = variables(text, PARAMETERS, context if context is not None else {}, {"model": "one"})
    return render(template, names)


@pytest.mark.recorded("notes/apis.md#templates")
@pytest.mark.parametrize(
    ("template", "body", "expected"),
    [
        ("$input.path('$')", {"foo": "bar"}, "{foo=bar}"),
        ("$input.path('$')", [{"foo": "bar"}], '[{"foo":"bar"}]'),
        ("$input.path('$.nested')", {"nested": {"foo": "bar"}}, "{foo=bar}"),
        ("$input.path('$.nested')", {"nested": [{"foo": "bar"}]}, '[{"foo":"bar"}]'),
        ("$input.path('$.[0]')", [{"foo": "bar"}], "{foo=bar}"),
        ("$input.path('$.[0]')", [[{"foo": "bar"}]], '[{"foo":"bar"}]'),
        ("$input.path('$')", {"foo": [{"nested": "bar"}]}, '{foo=[{"nested":"bar"}]}'),
        (
            "$input.path('$')",
            {"bigger": "dict", "to": "test", "with": "separators"},
            "{bigger=dict, to=test, with=separators}",
        ),
        ("$input.path('$').toString()", {"foo": "bar"}, "{foo=bar}"),
        ("$input.path('$').toString()", {"list": [{"foo": "bar"}]}, '{list=[{"foo":"bar"}]}'),
    ],
)
def test_recorded_values_are_printed_so(template: str, body: Any, expected: str) -> None:
    """Recorded 18 June 2025: maps as Java prints them, lists as JSON."""
    assert expected == rendered(template, body)


NULLS = """#set($result = $input.path('$.json'))
{"body": $result, "nested": $result.nested, "isNull": "#if( $result == $null )true#{else}false#end", \
"isEmptyString": "#if( $result == "" )true#{else}false#end"}"""


@pytest.mark.recorded("notes/apis.md#templates")
@pytest.mark.parametrize(
    ("body", "expected"),
    [
        (None, '{"body": , "nested": , "isNull": "true", "isEmptyString": "true"}'),
        (
            {"json": []},
            '{"body": [], "nested": , "isNull": "false", "isEmptyString": "false"}',
        ),
        ({"json": None}, '{"body": , "nested": , "isNull": "true", "isEmptyString": "true"}'),
    ],
)
def test_recorded_nulls(body: Any, expected: str) -> None:
    """Recorded 18 June 2025: what is missing leaves nothing, and equals null and the empty text."""
    assert expected == rendered(NULLS, body)


@pytest.mark.recorded("notes/apis.md#templates")
@pytest.mark.parametrize(
    ("template", "empty", "json_body", "text"),
    [
        ("$input.body", "{}", '{"some": "value"}', "some raw data"),
        (
            "Action=SendMessage&MessageBody=$input.body",
            "Action=SendMessage&MessageBody={}",
            'Action=SendMessage&MessageBody={"some": "value"}',
            "Action=SendMessage&MessageBody=some raw data",
        ),
        (
            "EncodedBody=$util.urlEncode($input.body)&EncodedBodyAccess="
            "$util.urlEncode($input.body.testAccess)",
            "EncodedBody=%7B%7D&EncodedBodyAccess=",
            "EncodedBody=%7B%22some%22%3A+%22value%22%7D&EncodedBodyAccess=",
            "EncodedBody=some+raw+data&EncodedBodyAccess=",
        ),
    ],
)
def test_recorded_bodies(template: str, empty: str, json_body: str, text: str) -> None:
    """Recorded 19 March 2025: a body is a text, `{}` if there is none, and has no members."""
    assert empty == rendered(template)
    assert json_body == rendered(template, '{"some": "value"}')
    assert text == rendered(template, "some raw data")


@pytest.mark.recorded("notes/apis.md#templates")
def test_recorded_map_assignments() -> None:
    """Recorded 29 May 2025: a map is written to by its members, by put() and at any depth."""
    template = """#set($map = {"value": "bar", "nested": {}})
#set($map.nested.foo = "nestedFoo")
#set($ignored = $map.put("value2", "putBar"))
{"value": "$map.value", "value2": "$map.get('value2')", "value3": "$map.nested['foo']"}"""
    assert json.loads(rendered(template)) == {
        "value": "bar",
        "value2": "putBar",
        "value3": "nestedFoo",
    }


@pytest.mark.documented("notes/apis.md#templates")
@pytest.mark.parametrize(
    ("template", "expected"),
    [
        ("$input.params('id') $input.params('q') $input.params('x-token')", "7 ? t"),
        ("$input.params('both')$input.params().header.get('both')", "pathheader"),
        ("$input.params('missing')|$input.params.querystring.q", "|?"),
        (
            "$stageVariables.model ${stageVariables.model}s $stageVariables.get('model')",
            "one ones one",
        ),
        ("$input.json('$.a') $input.json('$.none')", '{"b":[1,2]} ""'),
        ("$input.path('$.a.b')[1] $input.path('$.a.b').size()", "2 2"),
        ("$input.path('$..b[0]') $input.path('$.a[*]')", "[1] [[1,2]]"),
        ("$util.base64Decode($util.base64Encode('ü'))", "ü"),
        ("$util.urlDecode('a+b%20c')", "a b c"),
        ('$util.parseJson(\'{"a": {"b": 1}}\').a.b', "1"),
        ('$util.escapeJavaScript("it\'s")', "it\\'s"),
        ("#foreach($i in [1..3])$i#if($foreach.hasNext),#end#end", "1,2,3"),
        ("#foreach($i in [3..1])$foreach.count$foreach.index$velocityCount #end", "101 212 323 "),
        ("#foreach($e in {'a': 1, 'b': 2}.entrySet())$e#end", None),
        ("#set($m = {'a': 1})#foreach($e in $m.entrySet())$e.key=$e.value;#end", "a=1;"),
        ("#foreach($i in [1, 2, 3])#if($i == 2)#break#end$i#end.", "1."),
        ("a#stop b", "a"),
        ("#if(1 < 2 && !(2 <= 1) || false)y#{else}n#end", "y"),
        ("#if('a' == \"a\" and 1 ne 2)y#elseif(true)n#end", "y"),
        ("#if($missing)n#elseif('')y#end", "y"),
        ("#set($x = (7 - 3 * 2) + 10 / 4 % 2)$x", "1"),
        ("#set($x = -7 / 2)$x #set($y = 'a' + 1)$y", "-3 a1"),
        ("#set($l = ['a', true, null])$l $l.contains('a')", "[a, true, null] true"),
        ("## nothing\n#* nor\nthis *#x#[[ $raw #end ]]#", "x $raw #end "),
        ("\\$a \\#end $5 # #x", "$a #end $5 # #x"),
        ('#set($n = "x")#set($t = "a${n}b ""q""")$t', 'axb "q"'),
        ("$missing$!missing.a.b().c", ""),
        ("$input.__class__$input.path('$').__class__.__mro__()", ""),
        ("'a,b,,'.split", "'a,b,,'.split"),
        ("#set($t = ' Abc ')$t.trim().toLowerCase().replaceAll('(b)(c)', '$2$1')", "acb"),
        ("#set($t = 'a.b')$t.replace('.', '-').length()$t.substring(2)$t.indexOf('b')", "3b2"),
        ("#set($p = 'a,b,,'.split(','))", None),
    ],
)
def test_the_language(template: str, expected: str | None) -> None:
    """References, literals, operators, loops, comments, escapes and methods; what is no Velocity is an error."""
    body = {"a": {"b": [1, 2]}}
    if expected is None:
        with pytest.raises(TemplateError):
            rendered(template, body)
    else:
        assert expected == rendered(template, body)


@pytest.mark.documented("notes/apis.md#templates")
def test_the_passthrough_template_of_the_console() -> None:
    """The console's own template writes all parameters as JSON, with a text of any kind."""
    template = """#set($allParams = $input.params())
{"body-json" : $input.json('$'),
"params" : {
#foreach($type in $allParams.keySet())
    #set($params = $allParams.get($type))
"$type" : {
    #foreach($paramName in $params.keySet())
    "$paramName" : "$util.escapeJavaScript($params.get($paramName))"
        #if($foreach.hasNext),#end
    #end
}
    #if($foreach.hasNext),#end
#end
},
"stage-variables" : {
#foreach($key in $stageVariables.keySet())
"$key" : "$util.escapeJavaScript($stageVariables.get($key))"
    #if($foreach.hasNext),#end
#end
},
"context" : {"http-method" : "$context.httpMethod"}}"""
    assert json.loads(rendered(template, {"a": 1}, {"httpMethod": "GET"})) == {
        "body-json": {"a": 1},
        "params": PARAMETERS,
        "stage-variables": {"model": "one"},
        "context": {"http-method": "GET"},
    }


@pytest.mark.parametrize(
    "template",
    [
        "#if(true)",
        "#foreach($x in [1])",
        "#set($x = )",
        "#set($x 1)",
        "#set($x = 'a)",
        "#end",
        "#else",
        "#macro(x) #end",
        "#parse('x')",
        "#* never closed",
        "${x",
        "#set($x = $input.path('$[?(@.a)]'))",
        "#set($x = 'a'.format('b'))",
        "#set($x = $util.base64Decode('!'))",
        "#set($x = $util.parseJson('{'))",
        "#set($t = 'a')$t.substring(5)",
        "#set($t = 'a')$t.replaceAll('(', '')",
        "#set($l = [1])$l.get(1)",
        "#set($l = [1])#set($l[5] = 1)",
        "#set($input.body = 'x')",
        "#foreach($i in [1..100000])$i#end",
        "#set($l = [])#set($x = $l.add($l))$l",
        "#set($l = $input.path('$..a'))#set($x = $l.add($l))$l",
        "#set($x = 2)#foreach($i in [1..1000])#set($x = $x * $x)#end",
        "#if(" * 200,
        "#set($x = " + "(" * 500,
    ],
)
def test_wrong_templates_are_refused(template: str) -> None:
    """What cannot be read, asks for what there is not, or takes too long says so."""
    with pytest.raises(TemplateError) as refusal:
        rendered(template, {"a": 1})
    assert str(refusal.value)


@pytest.mark.parametrize(
    "template",
    [
        "#foreach($i in [1..100])#foreach($j in [1..100])$i#end#end",
        "#set($t = 'aaaaaaaa')#foreach($i in [1..100])#set($t = $t.replaceAll('a', 'aa'))#end",
        "#set($t = 'aaaaaaaa')#foreach($i in [1..100])#set($t = $t + $t)#end",
        "#set($t = 'aaaaaaaa')#foreach($i in [1..100])#set($t = \"$t$t\")#end",
    ],
)
def test_a_template_has_an_end(template: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Steps and characters are counted, in loops within loops and in texts that double."""
    monkeypatch.setattr(rendering, "MAX_STEPS", 5_000)
    monkeypatch.setattr(rendering, "MAX_CHARACTERS", 10_000)
    with pytest.raises(TemplateError, match="more than"):
        rendered(template)


def test_a_loop_has_a_thousand_turns() -> None:
    """So many, and not one more."""
    assert rendered(f"#foreach($i in [1..{MAX_TURNS}])x#end") == "x" * MAX_TURNS
    with pytest.raises(TemplateError, match="turns"):
        rendered(f"#foreach($i in [0..{MAX_TURNS}])x#end")


def test_an_expression_that_explodes_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    """A regular expression of a template has its time, and no more."""
    monkeypatch.setattr(values, "REGEX_SECONDS", 0.05)
    with pytest.raises(TemplateError, match="too long"):
        rendered("#set($t = $input.body)$t.matches('(a|aa)+b')", "a" * 60)


@given(template=st.text("${}#()[].'\"! \\abcifsetndforeachel=<>&|,:0123\n", max_size=40))
@example("#set($a = {'b': $a})#set($a.b = $a)$a")
def test_no_template_is_more_than_wrong(template: str) -> None:
    """Whatever stands in it, there is a text or a TemplateError."""
    with contextlib.suppress(TemplateError):
        assert isinstance(rendered(template, {"a": 1}), str)


@given(JSON)
def test_json_goes_through_unchanged(document: Any) -> None:
    """`$input.json('$')` is the body again, as is a body without a template's help."""
    text = json.dumps(document)
    assert json.loads(rendered("$input.json('$')", text)) == (
        document if document is not None else ""
    )
    assert rendered("$input.body", text) == text


@given(st.text(max_size=30))
def test_escaped_texts_are_json_texts(text: str) -> None:
    """What escapeJavaScript() gives can stand between quotation marks, once \\' is read as '."""
    escaped = rendered("\"$util.escapeJavaScript($input.path('$.a'))\"", {"a": text})
    assert json.loads(escaped.replace("\\'", "'")) == text


@given(JSON, st.lists(st.sampled_from(["a", "b"]) | st.integers(0, 2), max_size=4))
def test_paths_lead_where_they_say(document: Any, steps: list[str | int]) -> None:
    """Names and numbers, in brackets or after dots, lead into a document or to null."""
    expected = document
    for step in steps:
        if isinstance(expected, dict) and isinstance(step, str):
            expected = expected.get(step)
        elif isinstance(expected, list) and isinstance(step, int):
            expected = expected[step] if step < len(expected) else None
        else:
            expected = None
    brackets = "".join(f"[{step}]" if isinstance(step, int) else f"['{step}']" for step in steps)
    dots = "".join(f"[{step}]" if isinstance(step, int) else f".{step}" for step in steps)
    assert json_path.find(document, f"${brackets}") == expected
    assert json_path.find(document, f"${dots}") == expected
