"""Train the tiny model of the engine tests and write it as GGUF: `python train.py STEPS [OUT]`.

Needs torch, tokenizers, gguf and jinja2, which are in none of the project's locks: make an environment for it outside
the repository. The result is committed, so tests need only the engine (`xllamacpp`).
"""

from __future__ import annotations

import hashlib
import json
import random
import sys
import time
from pathlib import Path

import gguf
import jinja2
import numpy as np
import torch
from dialogues import Conversation, conversations, verdicts
from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers
from torch import nn
from torch.nn import functional

HERE = Path(__file__).parent
SPECIAL = ["<pad>", "<s>", "</s>", "<|user|>", "<|assistant|>", "<|system|>"]
VOCABULARY, WIDTH, LAYERS, HEADS, HIDDEN, CONTEXT = 704, 128, 3, 4, 256, 4096
EPS, THETA = 1e-5, 10_000.0
TEMPLATE = (HERE / "chat_template.jinja").read_text(encoding="utf-8")


class Block(nn.Module):
    """One layer of a Llama: attention with interleaved rotary positions, then a gated feed-forward network."""

    def __init__(self) -> None:
        super().__init__()
        self.attn_norm, self.ffn_norm = nn.RMSNorm(WIDTH, eps=EPS), nn.RMSNorm(WIDTH, eps=EPS)
        for name, (wide, narrow) in {
            "attn_q": (WIDTH, WIDTH),
            "attn_k": (WIDTH, WIDTH),
            "attn_v": (WIDTH, WIDTH),
            "attn_output": (WIDTH, WIDTH),
            "ffn_gate": (WIDTH, HIDDEN),
            "ffn_up": (WIDTH, HIDDEN),
            "ffn_down": (HIDDEN, WIDTH),
        }.items():
            setattr(self, name, nn.Linear(wide, narrow, bias=False))

    def forward(self, x: torch.Tensor, turns: torch.Tensor) -> torch.Tensor:
        """One step; `turns` are the rotations, complex, shape (length, head width / 2)."""
        batch, length, _ = x.shape
        y = self.attn_norm(x)
        q, k, v = (
            part(y).view(batch, length, HEADS, -1).transpose(1, 2) for part in (self.attn_q, self.attn_k, self.attn_v)
        )
        mixed = functional.scaled_dot_product_attention(rotated(q, turns), rotated(k, turns), v, is_causal=True)
        x = x + self.attn_output(mixed.transpose(1, 2).reshape(batch, length, WIDTH))
        y = self.ffn_norm(x)
        return x + self.ffn_down(functional.silu(self.ffn_gate(y)) * self.ffn_up(y))


class Tiny(nn.Module):
    """The whole model."""

    def __init__(self) -> None:
        super().__init__()
        self.token_embd = nn.Embedding(VOCABULARY, WIDTH)
        self.blk = nn.ModuleList(Block() for _ in range(LAYERS))
        self.output_norm = nn.RMSNorm(WIDTH, eps=EPS)
        self.output = nn.Linear(WIDTH, VOCABULARY, bias=False)
        nn.init.normal_(self.token_embd.weight, std=0.02)
        nn.init.normal_(self.output.weight, std=0.02)

    def forward(self, ids: torch.Tensor) -> torch.Tensor:
        """Logits of the next token at each place."""
        half = WIDTH // HEADS // 2
        speeds = THETA ** (-torch.arange(half).float() / half)
        angles = torch.outer(torch.arange(ids.shape[1]).float(), speeds)
        x, turns = self.token_embd(ids), torch.polar(torch.ones_like(angles), angles)
        for block in self.blk:
            x = block(x, turns)
        return self.output(self.output_norm(x))


def rotated(x: torch.Tensor, turns: torch.Tensor) -> torch.Tensor:
    """Pairs of neighbours turned by their position."""
    pairs = torch.view_as_complex(x.float().reshape(*x.shape[:-1], -1, 2))
    return torch.view_as_real(pairs * turns).flatten(-2)


def rendered(conversation: Conversation, *, whole: bool) -> str:
    """A conversation as the server's template writes it, with or without its last message."""
    environment = jinja2.Environment(autoescape=False)
    environment.filters["tojson"] = json.dumps
    tools, messages = conversation
    shown = messages if whole else messages[:-1]
    return environment.from_string(TEMPLATE).render(tools=tools, messages=shown, add_generation_prompt=not whole)


def trained_tokenizer(texts: list[str]) -> Tokenizer:
    """Byte-level BPE of these texts."""
    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    alphabet = pre_tokenizers.ByteLevel.alphabet()
    trainer = trainers.BpeTrainer(
        vocab_size=VOCABULARY, special_tokens=SPECIAL, initial_alphabet=alphabet, show_progress=False
    )
    tokenizer.train_from_iterator(texts, trainer)
    return tokenizer


def examples(tokenizer: Tokenizer, given: list[Conversation]) -> list[tuple[list[int], int]]:
    """Token ids of each conversation, and where its last message begins."""
    made = []
    for conversation in given:
        whole = tokenizer.encode(rendered(conversation, whole=True).removesuffix("\n")).ids
        before = tokenizer.encode(rendered(conversation, whole=False)).ids
        if whole[: len(before)] != before:
            raise ValueError("the template writes a conversation differently without its last message")
        made.append((whole, len(before)))
    return made


def loss_of(model: Tiny, batch: list[tuple[list[int], int]]) -> torch.Tensor:
    """Cross entropy of the last messages."""
    longest = max(len(ids) for ids, _ in batch)
    ids = torch.zeros(len(batch), longest, dtype=torch.long)
    wanted = torch.full((len(batch), longest), -100)
    for row, (tokens, start) in enumerate(batch):
        ids[row, : len(tokens)] = torch.tensor(tokens)
        wanted[row, start - 1 : len(tokens) - 1] = torch.tensor(tokens[start:])
    return functional.cross_entropy(model(ids).flatten(0, 1), wanted.flatten(), ignore_index=-100)


def train(model: Tiny, short: list[tuple[list[int], int]], long: list[tuple[list[int], int]], steps: int) -> None:
    """Batches of short conversations, each third one of a judge's long ones."""
    optimizer, rng, start = torch.optim.AdamW(model.parameters(), lr=2e-3), random.Random(0), time.process_time()
    for step in range(steps):
        for group in optimizer.param_groups:
            group["lr"] = 2e-3 * min(1, (step + 1) / 20) * (1 - step / steps * 0.9)
        batch = rng.sample(long, 6) if step % 3 == 2 else rng.sample(short, 12)
        loss = loss_of(model, batch)
        loss.backward()
        optimizer.step()
        optimizer.zero_grad()
        if step % 20 == 0 or step >= steps - 3:
            print(step, round(loss.item(), 3), f"{time.process_time() - start:.0f} CPU s", flush=True)


def write_gguf(path: Path, model: Tiny, tokenizer: Tokenizer) -> None:
    """The model as llama.cpp reads it: matrices in half precision."""
    writer = gguf.GGUFWriter(path, "llama")
    writer.add_name("evalwright-tiny-helpdesk")
    writer.add_context_length(CONTEXT)
    writer.add_embedding_length(WIDTH)
    writer.add_block_count(LAYERS)
    writer.add_feed_forward_length(HIDDEN)
    writer.add_head_count(HEADS)
    writer.add_head_count_kv(HEADS)
    writer.add_layer_norm_rms_eps(EPS)
    writer.add_rope_dimension_count(WIDTH // HEADS)
    writer.add_rope_freq_base(THETA)
    writer.add_vocab_size(VOCABULARY)
    writer.add_file_type(gguf.LlamaFileType.MOSTLY_F16)
    described = json.loads(tokenizer.to_str())
    known = sorted(described["model"]["vocab"].items(), key=lambda item: item[1])
    control, normal = gguf.TokenType.CONTROL, gguf.TokenType.NORMAL
    writer.add_tokenizer_model("gpt2")
    writer.add_tokenizer_pre("gpt-2")
    writer.add_token_list([token for token, _ in known])
    writer.add_token_types([control if index < len(SPECIAL) else normal for _, index in known])
    merges = described["model"]["merges"]
    writer.add_token_merges([" ".join(merge) if isinstance(merge, list) else merge for merge in merges])
    writer.add_pad_token_id(0)
    writer.add_bos_token_id(1)
    writer.add_eos_token_id(2)
    writer.add_add_bos_token(False)
    writer.add_chat_template(TEMPLATE)
    for name, tensor in model.state_dict().items():
        kind = np.float32 if tensor.ndim == 1 else np.float16
        writer.add_tensor(name, np.ascontiguousarray(tensor.numpy().astype(kind)))
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()


def main() -> None:
    """Train, write, tell."""
    steps, out = int(sys.argv[1]), Path(sys.argv[2]) if len(sys.argv) > 2 else HERE / "helpdesk.gguf"
    torch.manual_seed(0)
    short, long = conversations(), verdicts(random.Random(0), 300)
    tokenizer = trained_tokenizer([rendered(c, whole=True) for c in (*short, *long)])
    model = Tiny()
    train(model, examples(tokenizer, short), examples(tokenizer, long), steps)
    write_gguf(out, model, tokenizer)
    print(out.stat().st_size, "bytes, sha256", hashlib.sha256(out.read_bytes()).hexdigest())


if __name__ == "__main__":
    main()
