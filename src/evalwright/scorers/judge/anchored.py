"""Anchors: labelled answers by which a judge is watched."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

import msgspec
from pydantic import BaseModel, ConfigDict, Field

from evalwright.core.component import BindContext
from evalwright.models.options import config_error


class AnchorFile(msgspec.Struct, frozen=True, kw_only=True):
    """Labelled answers a judge is watched by, and whether each run judges them."""

    path: Path
    each_run: bool = True


class AnchorOptions(BaseModel):
    """The options of anchors, the same for every kind of judge."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    anchors: str | None = Field(
        None,
        description="File of labelled answers that are judged again to see whether the judge has changed; not part of "
        "the judge's identity.",
    )
    anchors_when: Literal["run", "demand"] = Field(
        "run", description="Judge the anchors at the end of each run, or only by `evalwright calibrate --anchors`."
    )

    def made_anchors(self, context: BindContext) -> AnchorFile | None:
        """The anchors, None when there are none.

        Raises:
            ConfigError: The file is not there.
        """
        if self.anchors is None:
            return None
        path = context.base_dir / self.anchors
        if not path.is_file():
            hint = "paths are relative to the suite file"
            raise config_error(f"there is no file `{self.anchors}`", key="anchors", hint=hint)
        return AnchorFile(path=path, each_run=self.anchors_when == "run")
