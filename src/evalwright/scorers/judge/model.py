"""The model behind a judge: the endpoint of `models.asking`, under the names judges use."""

from __future__ import annotations

from evalwright.core.component import BindContext
from evalwright.models.asking import ModelClient, ModelOptions, Told

__all__ = ["JudgeClient", "JudgeModel", "Told"]

JudgeClient = ModelClient
"""Asks a judge's model."""


class JudgeModel(ModelOptions):
    """The endpoint a judge asks, with the same options as a chat target."""

    def judge_client(self, context: BindContext) -> JudgeClient:
        """The client, with everything checked that can be without a call.

        Raises:
            ConfigError: A secret is written literally, a variable is not set, or the address is wrong.
        """
        return self.model_client(context)
