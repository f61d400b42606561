"""What the options of several targets have in common."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict

from evalwright.models.options import Duration, RateLimitOption, config_error, parse_duration, parse_rate_limit

__all__ = ["Duration", "RateLimitOption", "TargetOptions", "config_error", "parse_duration", "parse_rate_limit"]


class TargetOptions(BaseModel):
    """Base of all target options: unknown keys are refused."""

    model_config = ConfigDict(extra="forbid", frozen=True)
