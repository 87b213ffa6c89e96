"""Models of some ten thousand random weights, in the shape of real ones, and tokenizers that are trained on the spot.

What such a model writes is dictated: at each step a logits processor leaves one token possible. All else is
transformers' own: `generate`, the streamers, the tokenizers. Importing this skips where transformers is not installed,
and making a model where torch is not.
"""

from __future__ import annotations

from collections.abc import Callable
from threading import Thread
from typing import Any

from packages import package

tokenizers = package("tokenizers", "local")
transformers = package("transformers", "local")

TURN_END = "<|im_end|>"
IMAGE = "<image>"
_IMAGE_SIZE = 16


def tokenizer(lines: list[str], template: str, plain: tuple[str, ...] = (), special: tuple[str, ...] = ()) -> Any:
    """A byte-level tokenizer with these markers, of which the special ones can be stripped."""
    trained = tokenizers.ByteLevelBPETokenizer()
    trained.train_from_iterator(lines, vocab_size=400, show_progress=False)
    made = transformers.PreTrainedTokenizerFast(tokenizer_object=trained._tokenizer, clean_up_tokenization_spaces=False)
    made.add_tokens([tokenizers.AddedToken(token, special=False, normalized=False) for token in plain])
    made.add_tokens([tokenizers.AddedToken(token, special=True, normalized=False) for token in special])
    made.add_special_tokens({"eos_token": TURN_END, "pad_token": "<|pad|>"})
    made.chat_template = template
    return made


def llama(made: Any) -> Any:
    """A Llama for this tokenizer."""
    package("torch", "local")
    config = transformers.LlamaConfig(**_text_config(made))
    return transformers.LlamaForCausalLM(config).eval()


def smolvlm(made: Any) -> Any:
    """A SmolVLM for this tokenizer, for which an image of 16 x 16 points is one token."""
    package("torch", "local")
    vision = {**_SIZES, "image_size": _IMAGE_SIZE, "patch_size": _IMAGE_SIZE // 2}
    config = transformers.SmolVLMConfig(
        text_config={"model_type": "llama", **_text_config(made)},
        vision_config=vision,
        scale_factor=2,
        image_token_id=made.convert_tokens_to_ids(IMAGE),
        pad_token_id=made.pad_token_id,
    )
    return transformers.SmolVLMForConditionalGeneration(config).eval()


_SIZES = {"hidden_size": 32, "intermediate_size": 64, "num_hidden_layers": 1, "num_attention_heads": 2}


def _text_config(made: Any) -> dict[str, Any]:
    return {
        **_SIZES,
        "num_key_value_heads": 1,
        "vocab_size": len(made),
        "pad_token_id": made.pad_token_id,
        "eos_token_id": made.eos_token_id,
        "max_position_embeddings": 4096,
    }


def image() -> Any:
    """An image as the model takes it: batch, images, colours, lines, columns."""
    return package("torch", "local").rand(1, 1, 3, _IMAGE_SIZE, _IMAGE_SIZE)


def writing(
    model: Any, made: Any, whole: str, streamer: Any, *, before: Callable[[int], None] | None = None, **inputs: Any
) -> Thread:
    """A thread in which the model writes this text, and then ends its turn. before: is called before each token."""
    torch = package("torch", "local")
    ids = [*made.encode(whole, add_special_tokens=False), made.eos_token_id]

    class Dictated(transformers.LogitsProcessor):  # type: ignore[misc, name-defined]
        """Leaves one token possible: the next one."""

        def __init__(self) -> None:
            self._step = 0

        def __call__(self, input_ids: Any, scores: Any) -> Any:
            if before is not None:
                before(self._step)
            forced = torch.full_like(scores, -torch.inf)
            forced[:, ids[self._step]] = 0
            self._step += 1
            return forced

    processors = transformers.LogitsProcessorList([Dictated()])
    options = {"max_new_tokens": len(ids), "do_sample": False, "logits_processor": processors, "streamer": streamer}
    return Thread(target=model.generate, kwargs={**inputs, **options})
