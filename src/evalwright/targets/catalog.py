"""The built-in targets by the name users write."""

TARGETS: dict[str, str] = {
    "chat": "evalwright.targets.chat:ChatTargetOptions",
    "python": "evalwright.targets.python:PythonTargetOptions",
    "callable": "evalwright.targets.python:PythonTargetOptions",
    "recorded": "evalwright.targets.recorded:RecordedTargetOptions",
}
"""Name to `"module:OptionsClass"`; `callable` is another name for `python`."""
