"""Vectors of texts by a static embedding model that lies in a folder; nothing is fetched."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from evalwright.core.errors import UsageError
from evalwright.core.extras import optional

Matrix = npt.NDArray[np.float32]
BATCH = 1_000


def embed(texts: Iterable[str], folder: Path) -> Matrix:
    """Unit vectors of texts, shape (texts, dimensions); a text without a known word has zeros.

    Args:
        texts: The texts.
        folder: A model2vec model.

    Raises:
        MissingExtra: model2vec is not installed.
        UsageError: The folder holds no such model.
    """
    if not folder.is_dir():
        raise UsageError(f"there is no folder {folder}", hint="a model2vec model: model.safetensors, tokenizer.json")
    module = optional("model2vec", extra="model2vec")
    try:
        model: Any = module.StaticModel.from_pretrained(str(folder))
    except (OSError, ValueError, KeyError) as error:
        raise UsageError(f"{folder} holds no model2vec model: {error}") from error
    pieces = [_unit(model.encode(batch, show_progress_bar=False)) for batch in _batches(texts)]
    return np.concatenate(pieces) if pieces else np.zeros((0, 1), dtype=np.float32)


def _batches(texts: Iterable[str]) -> Iterable[list[str]]:
    batch: list[str] = []
    for text in texts:
        batch.append(text)
        if len(batch) == BATCH:
            yield batch
            batch = []
    if batch:
        yield batch


def _unit(made: npt.NDArray[np.floating[Any]]) -> Matrix:
    length = np.linalg.norm(made, axis=1, keepdims=True)
    return np.asarray(made / np.maximum(length, 1e-12), dtype=np.float32)
