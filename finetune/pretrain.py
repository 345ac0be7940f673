"""From texts to a small language model: a byte-level BPE tokenizer, a Llama of any size, and a plain training loop."""

import math
from collections.abc import Callable, Sequence
from typing import Any

END, PAD = "<|end|>", "<|pad|>"
MARKS = (END, PAD, "<|user|>", "<|answer|>")


def new_tokenizer(texts: Sequence[str], vocabulary: int, template: str) -> Any:
    """A BPE tokenizer trained on `texts`. Digits come in tokens of one or two, so that a number's size shows in its first."""
    from tokenizers import Regex, Tokenizer, decoders, models, pre_tokenizers, trainers
    from transformers import PreTrainedTokenizerFast

    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.Sequence(  # type: ignore[assignment]
        [pre_tokenizers.Split(Regex(r"\d{1,2}"), "isolated"), pre_tokenizers.ByteLevel(add_prefix_space=False)]
    )
    tokenizer.decoder = decoders.ByteLevel()  # type: ignore[assignment]
    trainer = trainers.BpeTrainer(
        vocab_size=vocabulary, special_tokens=list(MARKS), show_progress=False,
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
    )  # fmt: skip
    tokenizer.train_from_iterator(texts, trainer)
    fast = PreTrainedTokenizerFast(
        tokenizer_object=tokenizer, eos_token=END, pad_token=PAD, clean_up_tokenization_spaces=False,
        additional_special_tokens=list(MARKS[2:]),
    )  # fmt: skip
    fast.chat_template = template
    return fast


def new_model(tokenizer: Any, width: int, layers: int, heads: int, inner: int, longest: int, seed: int) -> Any:
    """A Llama with random weights drawn from `seed`; input and output share one embedding.

    Weights start at a spread of 1/√width: the library's 0.02 is meant for widths of thousands, and from there a narrow
    model takes five times the rows to learn anything (signals shrink from layer to layer).
    """
    import torch
    from transformers import LlamaConfig, LlamaForCausalLM

    torch.manual_seed(seed)
    config = LlamaConfig(
        vocab_size=len(tokenizer), hidden_size=width, num_hidden_layers=layers, num_attention_heads=heads,
        num_key_value_heads=heads, intermediate_size=inner, max_position_embeddings=longest, tie_word_embeddings=True,
        initializer_range=width**-0.5, bos_token_id=None, eos_token_id=tokenizer.eos_token_id, pad_token_id=tokenizer.pad_token_id,
    )  # fmt: skip
    return LlamaForCausalLM(config)


def pretrain(
    model: Any, tokenizer: Any, texts: Sequence[str], steps: int, batch: int, block: int, rate: float, seed: int,
    threads: int, watch: Callable[[int, float], None] | None = None,
) -> float:  # fmt: skip
    """Train on blocks of `block` tokens of the shuffled texts; returns the last loss in nat per token."""
    import torch

    before = torch.get_num_threads()
    torch.set_num_threads(threads)
    try:
        chance = torch.Generator().manual_seed(seed)
        order = torch.randperm(len(texts), generator=chance).tolist()
        ids = [token for place in order for token in (*tokenizer(texts[place])["input_ids"], tokenizer.eos_token_id)]
        blocks = torch.tensor(ids[: len(ids) // block * block]).view(-1, block)
        optimiser = torch.optim.AdamW(model.parameters(), lr=rate, betas=(0.9, 0.95), weight_decay=0.1)
        model.train()
        loss = 0.0
        queue: list[int] = []
        for step in range(steps):
            while len(queue) < batch:
                queue += torch.randperm(len(blocks), generator=chance).tolist()
            chosen, queue = queue[:batch], queue[batch:]
            share = min(1.0, (step + 1) / 20) * 0.5 * (1 + math.cos(math.pi * step / steps))
            for group in optimiser.param_groups:
                group["lr"] = rate * max(share, 0.02)
            part = blocks[chosen]
            out = model(input_ids=part, labels=part)
            out.loss.backward()
            torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
            optimiser.step()
            optimiser.zero_grad(set_to_none=True)
            loss = out.loss.item()
            if watch:
                watch(step, loss)
        model.eval()
        return loss
    finally:
        torch.set_num_threads(before)
