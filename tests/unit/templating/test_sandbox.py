import subprocess
import sys
import time

import pytest

from evalwright.core.errors import ConfigError
from evalwright.templating import Template, TemplateError

VALUES = {"input": {"q": "hi", "turns": [{"role": "user", "text": "a"}, {"role": "bot", "text": "b"}], "n": 3}}


def jinja(source, **options):
    return Template(source, jinja=True, **options)


@pytest.mark.parametrize(
    ("source", "result"),
    [
        ("{{ input.q|upper }}", "HI"),
        ("{% for t in input.turns %}{{ loop.index }}.{{ t.text }} {% endfor %}", "1.a 2.b "),
        ("{% if input.n > 2 %}many{% else %}few{% endif %}", "many"),
        ("{% set x = input.n + 1 %}{{ x }}", "4"),
        ("{{ input.missing|default('none') }}", "none"),
        ("{{ input.turns|map(attribute='text')|join(', ') }}", "a, b"),
        ("{{ input.turns|tojson }}", '[{"role":"user","text":"a"},{"role":"bot","text":"b"}]'),
        ("{{ input.q ~ '!' }}{{ input.q.upper() }}", "hi!HI"),
        ("{{ input.q|replace('h', 'H') }}", "Hi"),
        ("{{ 7 % 4 }}{{ 2 * 3 }}{{ range(3)|list }}", "36[0, 1, 2]"),
        ("<b>{{ input.q }}</b>\n", "<b>hi</b>\n"),
    ],
)
def test_what_it_is_for(source, result):
    assert jinja(source, names={"input"}).render(VALUES) == result


@pytest.mark.parametrize(
    ("source", "message"),
    [
        ("{% macro m() %}{% endmacro %}", "macro"),
        ("{% include 'x' %}", "include"),
        ("{% import 'x' as y %}", "import"),
        ("{% extends 'x' %}", "extends"),
        ("{% block b %}{% endblock %}", "block"),
        ("{% set x %}{{ input }}{% endset %}", "assignblock"),
        ("{% filter upper %}x{% endfilter %}", "filterblock"),
        ("{% call f() %}{% endcall %}", "callblock"),
        ("{{ 2 ** 9 }}", "pow"),
        ("{{ input|attr('__class__') }}", "No filter named"),
        ("{{ input|format }}", "No filter named"),
        ("{{ lipsum() }}", "unknown name `lipsum`"),
        ("{{ expected }}", "unknown name `expected`"),
        ("{% for x in %}", "line 1 of the template"),
        ("{{ input", "line 1"),
    ],
)
def test_what_is_not_allowed_is_refused_when_compiled(source, message):
    with pytest.raises(ConfigError, match=message):
        jinja(source, names={"input"}, key="prompt")


@pytest.mark.parametrize(
    "source",
    [
        "{{ input.__class__ }}",
        "{{ ''.__class__.__mro__ }}",
        "{{ input.q.format(1) }}",
        "{{ input.q.__init__.__globals__ }}",
        "{{ input['__class__'] }}",
        "{{ input.pop('q') }}",
        "{{ input.turns.append(1) }}",
        "{{ input.q.center(10) }}",
        "{{ 'x' * 1000000000 }}",
        "{{ '%1000000000d' % 1 }}",
        "{{ input.missing }}",
        "{{ 1 / 0 }}",
        "{{ range(10000000)|list }}",
        "{% set x = 'ab' %}{% for i in range(3) %}{{ x.encode() }}{% endfor %}",
        "{{ tick() }}",
    ],
)
def test_what_can_not_be_done_fails_when_filled(source):
    with pytest.raises(TemplateError, match="template of `prompt` failed"):
        jinja(source, key="prompt").render(VALUES)


DOUBLING = "{% set x = input.q %}" + "{% set x = x OP x %}" * 40 + "{{ x }}"


@pytest.mark.parametrize(
    "source",
    [
        "{% for a in range(99999) %}{% for b in range(99999) %}{% endfor %}{% endfor %}",
        "{% for a in range(99999) %}{% for b in range(999) %}{{ input.q|replace('', b) }}{% endfor %}{% endfor %}",
        DOUBLING.replace("OP", "+"),
        DOUBLING.replace("OP", "~"),
        "{% set x = [1] %}" + "{% set x = x + x %}" * 40 + "{{ x|length }}",
        "{% set x = input.q|replace('', input.q * 2) %}",
    ],
)
def test_time_and_size_are_bounded(source):
    start = time.monotonic()
    with pytest.raises(TemplateError):
        jinja(source).render(VALUES)
    assert time.monotonic() - start < 10


def test_the_names_put_into_templates_can_not_be_taken_over():
    endless = "{% set environment = 1 %}{% set tick = range %}" + "{% for a in range(99999) %}" * 3 + "{% endfor %}" * 3
    with pytest.raises(TemplateError, match="longer than"):
        jinja(endless).render(VALUES)


def test_plain_templates_do_not_import_jinja():
    code = (
        "import sys; from evalwright.templating import Template; Template('{{ a }}'); sys.exit('jinja2' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
