"""Writes the shapes of the API's answers as OpenAPI to standard output, for `npm run types`."""

from __future__ import annotations

import json
import sys
import tempfile
from pathlib import Path
from typing import Any

from evalwright.server.app import create_app
from evalwright.server.settings import ServerSettings


def main() -> None:
    """Write the description of the app as it is: the shapes, without the routes."""
    with tempfile.TemporaryDirectory() as folder:
        described = create_app(ServerSettings(workspace=Path(folder))).openapi()
    kept = {**described, "paths": {}, "components": {"schemas": _plain(described["components"]["schemas"])}}
    json.dump(kept, sys.stdout, indent=1, sort_keys=True)


def _plain(schema: Any) -> Any:
    """A schema without what types do not need: titles and descriptions."""
    if isinstance(schema, list):
        return [_plain(item) for item in schema]
    if not isinstance(schema, dict):
        return schema
    named = isinstance(schema.get("properties"), dict)
    return {
        key: {name: _plain(item) for name, item in value.items()} if key == "properties" and named else _plain(value)
        for key, value in schema.items()
        if not (key in {"title", "description"} and isinstance(value, str))
    }


if __name__ == "__main__":
    main()
