"""Embeddings on this machine: a static model, an ONNX graph, the one an extra brings, and folders that hold none."""

from __future__ import annotations

import base64
import importlib.util
from pathlib import Path

import numpy as np
import pytest

from evalwright.core.errors import ConfigError, MissingExtra
from evalwright.models import local_embeddings
from evalwright.models.local_embeddings import LocalEmbedder

GRAPH = base64.b64decode(
    "CAgSADrJAQopCgF3CglpbnB1dF9pZHMSEWxhc3RfaGlkZGVuX3N0YXRlIgZHYXRoZXISAWcqKwgECAIQAUIBd0ogAAAAAAAAAAAAAIA/"
    "AAAAAAAAAAAAAIA/AACAPwAAgD9aHQoJaW5wdXRfaWRzEhAKDggHEgoKAxIBYgoDEgFuWiIKDmF0dGVudGlvbl9tYXNrEhAKDggHEgoK"
    "AxIBYgoDEgFuYikKEWxhc3RfaGlkZGVuX3N0YXRlEhQKEggBEg4KAxIBYgoDEgFuCgIIAkIECgAQDQ=="
)
"""An ONNX graph that looks token vectors up: nothing, (1, 0), (0, 1), (1, 1)."""

WORDS = {"[UNK]": 0, "east": 1, "north": 2, "both": 3}
needs_extras = pytest.mark.skipif(
    any(importlib.util.find_spec(name) is None for name in ("model2vec", "onnxruntime", "tokenizers")),
    reason="the extras model2vec and onnx are not installed",
)


def write_tokenizer(folder: Path) -> None:
    tokenizers = pytest.importorskip("tokenizers")
    made = tokenizers.Tokenizer(tokenizers.models.WordLevel(WORDS, unk_token="[UNK]"))
    made.pre_tokenizer = tokenizers.pre_tokenizers.Whitespace()
    made.save(str(folder / "tokenizer.json"))


@needs_extras
async def test_an_onnx_model_is_pooled_over_its_tokens(tmp_path: Path) -> None:
    (tmp_path / "model.onnx").write_bytes(GRAPH)
    write_tokenizer(tmp_path)
    embedder = LocalEmbedder(tmp_path)
    found = await embedder.embed(["east", "north north east east", "both", ""])
    half = np.sqrt(0.5)
    assert np.allclose(found.vectors, [[1, 0], [half, half], [half, half], [0, 0]], atol=1e-6)
    assert found.model == tmp_path.name
    assert embedder.encode([]).shape == (0, 0)
    many = embedder.encode(["east", "north both"] * 40)
    assert many.shape == (80, 2)
    assert np.allclose(many[0], many[78])


@needs_extras
def test_a_static_model_of_a_folder(tmp_path: Path) -> None:
    import tokenizers
    from model2vec import StaticModel

    write_tokenizer(tmp_path)
    reader = tokenizers.Tokenizer.from_file(str(tmp_path / "tokenizer.json"))
    vectors = np.array([[0, 0], [1, 0], [0, 1], [1, 1]], dtype=np.float32)
    StaticModel(vectors, reader).save_pretrained(str(tmp_path / "saved"))
    found = LocalEmbedder(tmp_path / "saved").encode(["east", "both"])
    assert np.allclose(found, [[1, 0], [np.sqrt(0.5), np.sqrt(0.5)]], atol=1e-3)


@pytest.mark.skipif(importlib.util.find_spec("wordllama") is None, reason="the extra model2vec is not installed")
def test_the_default_model_knows_paraphrases() -> None:
    embedder = LocalEmbedder()
    refund, paraphrase, whale = embedder.encode(
        ["Refunds take five days.", "You get money back in 5 days", "Whales sing"]
    )
    assert refund @ paraphrase > 0.4
    assert refund @ whale < 0.2
    assert embedder.name.startswith("wordllama ")


def test_folders_without_a_model_are_named(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="there is no folder"):
        LocalEmbedder(tmp_path / "absent")
    with pytest.raises(ConfigError, match="holds no model"):
        LocalEmbedder(tmp_path)


@needs_extras
def test_broken_models_are_named(tmp_path: Path) -> None:
    onnx, static = tmp_path / "onnx", tmp_path / "static"
    for folder in (onnx, static):
        folder.mkdir()
        write_tokenizer(folder)
    (onnx / "model.onnx").write_bytes(b"no graph")
    (static / "model.safetensors").write_bytes(b"no tensors")
    with pytest.raises(ConfigError, match="ONNX"):
        LocalEmbedder(onnx)
    with pytest.raises(ConfigError, match="model2vec"):
        LocalEmbedder(static)
    (onnx / "tokenizer.json").unlink()
    with pytest.raises(ConfigError, match="missing"):
        LocalEmbedder(onnx)


def test_a_package_that_carries_the_model_may_be_absent(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(local_embeddings, "_CARRIER", "no-such-package-here")
    with pytest.raises(MissingExtra):
        LocalEmbedder()
