"""A tokenizer and a model as small as can be, for trainers that want both: bytes as tokens, ChatML as the template."""

import tempfile

from tokenizers import Tokenizer, decoders, models, pre_tokenizers
from transformers import LlamaConfig, LlamaForCausalLM, PreTrainedTokenizerFast

TEMPLATE = (
    "{% for message in messages %}{{ '<|im_start|>' + message['role'] + '\n' }}{% if message['role'] == 'assistant' %}"
    "{% generation %}{{ message['content'] + '<|im_end|>' }}{% endgeneration %}{% else %}{{ message['content'] + '<|im_end|>' }}{% endif %}"
    "{{ '\n' }}{% endfor %}{% if add_generation_prompt %}{{ '<|im_start|>assistant\n' }}{% endif %}"
)


def tokenizer() -> PreTrainedTokenizerFast:
    """One token per byte, and the two marks of ChatML."""
    signs = sorted(pre_tokenizers.ByteLevel.alphabet())
    vocabulary = {sign: place for place, sign in enumerate(["<|pad|>", "<|im_start|>", "<|im_end|>", *signs])}
    made = Tokenizer(models.BPE(vocabulary, []))
    made.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    made.decoder = decoders.ByteLevel()
    fast = PreTrainedTokenizerFast(tokenizer_object=made, eos_token="<|im_end|>", pad_token="<|pad|>", additional_special_tokens=["<|im_start|>"])  # fmt: skip
    fast.chat_template = TEMPLATE
    return fast


def model(tokens: PreTrainedTokenizerFast) -> LlamaForCausalLM:
    """A few thousand weights, in a folder of their own: a trainer may load a second copy from there."""
    made = LlamaForCausalLM(LlamaConfig(
        vocab_size=len(tokens), hidden_size=16, intermediate_size=16, num_hidden_layers=1, num_attention_heads=2, max_position_embeddings=65_536,
        pad_token_id=tokens.pad_token_id, eos_token_id=tokens.eos_token_id, bos_token_id=None,
    ))  # fmt: skip
    folder = tempfile.mkdtemp()
    made.save_pretrained(folder)
    tokens.save_pretrained(folder)
    return LlamaForCausalLM.from_pretrained(folder)
