"""The built-in targets by the name users write."""

TARGETS: dict[str, str] = {
    "chat": "evalwright.targets.chat:ChatTargetOptions",
    "http": "evalwright.targets.http:HttpTargetOptions",
    "python": "evalwright.targets.python:PythonTargetOptions",
    "callable": "evalwright.targets.python:PythonTargetOptions",
    "dialogue": "evalwright.targets.dialogue:DialogueTargetOptions",
    "process": "evalwright.targets.process:ProcessTargetOptions",
    "recorded": "evalwright.targets.recorded:RecordedTargetOptions",
}
"""Name to `"module:OptionsClass"`; `callable` is another name for `python`."""
