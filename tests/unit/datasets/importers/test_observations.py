"""Observations of a trace: the tree, the tools, and what broken exports do to it."""

from evalwright.datasets.importers.observations import DEEPEST, steps_of, tool_calls_of, usage_of


def row(name, parent=None, **more):
    return {"id": name, "parentObservationId": parent, "type": "SPAN", "name": name, **more}


def at(second):
    return f"2026-01-01T00:00:{second:02d}Z"


def test_the_tree_is_in_order_of_time():
    steps = steps_of(
        [
            row("second", "root", startTime=at(5), endTime=at(7), type="GENERATION"),
            row("root", startTime=at(1), endTime=at(9), type="AGENT"),
            row("first", "root", startTime=at(2), level="ERROR", statusMessage="no luck", type="TOOL"),
        ]
    )
    (root,) = steps
    assert (root.kind, root.start_s, root.duration_s) == ("agent", 0.0, 8.0)
    assert [(step.name, step.kind, step.error) for step in root.children] == [
        ("first", "tool", "no luck"),
        ("second", "llm", None),
    ]
    assert root.children[1].start_s == 4.0


def test_lost_parents_circles_and_depths_without_end_are_roots():
    assert [step.name for step in steps_of([row("a", "gone")])] == ["a"]
    circle = steps_of([row("a", "b"), row("b", "a")])
    assert {step.name for step in circle} == {"a", "b"}
    chain = [row(str(n), str(n - 1) if n else None) for n in range(5 * DEEPEST)]
    steps, depth, count = list(steps_of(chain)), 0, 0
    while steps:
        depth, count = depth + 1, count + len(steps)
        steps = [child for step in steps for child in step.children]
    assert count == 5 * DEEPEST
    assert depth <= DEEPEST


def test_values_of_any_type_are_survived():
    odd = [{"id": 5, "type": None, "startTime": "never", "endTime": [], "name": {"a": 1}}, {}]
    assert [step.kind for step in steps_of(odd)] == ["span", "span"]
    assert tool_calls_of(odd) == ()
    assert usage_of(odd) is None


def test_tools_are_called_with_what_the_export_wraps():
    rows = [
        row("late", type="TOOL", startTime=at(3), input={"city": "Berlin"}, output="rain"),
        row("early", type="TOOL", startTime=at(1), input={"input": {"city": "Rome"}}, level="ERROR"),
    ]
    calls = tool_calls_of(rows)
    assert [(c.name, c.arguments, c.result, c.error) for c in calls] == [
        ("early", {"city": "Rome"}, None, "error"),
        ("late", {"city": "Berlin"}, "rain", None),
    ]
