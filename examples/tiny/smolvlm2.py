"""A SmolVLM2 of random weights, which writes what it is told, and its processor: for examples that run anywhere.

It is transformers' own model, with its own `generate`; at each step a logits processor leaves one token possible. The
tokenizer knows single bytes. Needs `toolstream[local]`.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np
import torch
from tokenizers import Tokenizer, decoders, models, pre_tokenizers
from transformers import (
    LogitsProcessor,
    LogitsProcessorList,
    PreTrainedTokenizerFast,
    SmolVLMConfig,
    SmolVLMForConditionalGeneration,
)

SIDE = 16  # of an image, in points: it becomes one token
IMAGE, TURN_END, PAD = "<image>", "<end_of_utterance>", "<|im_end|>"
TEMPLATE = (
    "<|im_start|>{% for message in messages %}{{ message.role | capitalize }}: {% for part in message.content %}"
    "{{ part.text if part.type == 'text' else '<image>' }}{% endfor %}<end_of_utterance>\n{% endfor %}"
    "{% if add_generation_prompt %}Assistant:{% endif %}"
)


class Processor:
    """As much of `SmolVLMProcessor` as the examples use; that one needs torchvision."""

    def __init__(self) -> None:
        letters = {letter: number for number, letter in enumerate(sorted(pre_tokenizers.ByteLevel.alphabet()))}
        single_bytes = Tokenizer(models.BPE(letters, []))
        single_bytes.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
        single_bytes.decoder = decoders.ByteLevel()
        self.tokenizer = PreTrainedTokenizerFast(
            tokenizer_object=single_bytes,
            eos_token=TURN_END,
            pad_token=PAD,
            additional_special_tokens=["<|im_start|>", IMAGE],
            clean_up_tokenization_spaces=False,
            chat_template=TEMPLATE,
        )

    def apply_chat_template(self, conversation: list[dict[str, Any]], **options: Any) -> dict[str, Any]:
        inputs = self.tokenizer.apply_chat_template(conversation, **options)
        parts = [part for message in conversation for part in message["content"] if part["type"] == "image"]
        images = [np.asarray(part["image"].resize((SIDE, SIDE)), dtype=np.float32) / 255 for part in parts]
        return {**inputs, "pixel_values": torch.from_numpy(np.stack(images)).permute(0, 3, 1, 2)[None]}


class Model(SmolVLMForConditionalGeneration):
    """Writes one of the answers after another."""

    def __init__(self, tokenizer: Any, answers: Iterable[str]) -> None:
        sizes = {"hidden_size": 32, "intermediate_size": 64, "num_hidden_layers": 1, "num_attention_heads": 2}
        text = {"model_type": "llama", "num_key_value_heads": 1, "vocab_size": len(tokenizer), "pad_token_id": 0}
        config = SmolVLMConfig(
            text_config={**sizes, **text},
            vision_config={**sizes, "image_size": SIDE, "patch_size": SIDE // 2},
            scale_factor=2,
            image_token_id=tokenizer.convert_tokens_to_ids(IMAGE),
            pad_token_id=tokenizer.pad_token_id,
        )
        super().__init__(config)
        self.eval()
        self._answers = iter([[*tokenizer.encode(answer), tokenizer.eos_token_id] for answer in answers])
        self.generation_config.eos_token_id = tokenizer.eos_token_id

    def generate(self, *arguments: Any, **options: Any) -> Any:
        dictated = LogitsProcessorList([Dictated(next(self._answers))])
        return super().generate(*arguments, **options, logits_processor=dictated)


class Dictated(LogitsProcessor):
    """Leaves one token possible at each step."""

    def __init__(self, tokens: list[int]) -> None:
        self._tokens = iter(tokens)

    def __call__(self, input_ids: Any, scores: Any) -> Any:
        forced = torch.full_like(scores, -torch.inf)
        forced[:, next(self._tokens)] = 0
        return forced
