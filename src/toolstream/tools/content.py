"""What a function returns, as the parts that a model can be shown: texts and pictures.

Guarantees that anything a function may return is some text, and that a picture's bytes are never written out as text.
"""

from __future__ import annotations

import base64
import dataclasses
import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class Image:
    """A picture that a function returns, alone or among the elements of a list.

    data: the file's bytes. media_type: what they are: "image/png", "image/jpeg", "image/gif", "image/webp".
    """

    data: bytes
    media_type: str = "image/png"

    @property
    def base64(self) -> str:
        return base64.b64encode(self.data).decode()

    @property
    def url(self) -> str:
        """The picture as a `data:` URL."""
        return f"data:{self.media_type};base64,{self.base64}"

    def __str__(self) -> str:
        return f"[{self.media_type}, {len(self.data)} bytes]"


Part = str | Image


def parts_of(value: Any) -> list[Part]:
    """The value as texts and pictures. Only a list with a picture, and what MCP's tools return, are several parts."""
    contents = _member(value, "content") if _is_mcp_result(value) else value
    if isinstance(contents, (list, tuple)) and (contents is not value or any(map(_image, contents))):
        return [_part(content) for content in contents]
    return [_part(contents)]


def says_error(value: Any) -> bool:
    """Whether what an MCP server's tool returned is an error."""
    return _is_mcp_result(value) and bool(_member(value, "isError"))


def as_text(value: Any) -> str:
    """A tool's value as text: a string as it is; plain data, pydantic models and dataclasses as JSON, also within each
    other; anything else by `str`."""
    if isinstance(value, str):
        return value
    try:
        return json.dumps(value, ensure_ascii=False, default=_told)
    except (TypeError, ValueError, RecursionError):  # keys that JSON does not have, data that holds itself
        return str(value)


def as_json(value: Any) -> Any:
    """A tool's value as JSON has it; pictures as MCP writes them."""
    try:
        return json.loads(json.dumps(value, default=_shown))
    except (TypeError, ValueError, RecursionError):
        return as_text(value)


def _part(content: Any) -> Part:
    image = _image(content)
    if image is not None:
        return image
    text = _member(content, "text") if _member(content, "type") == "text" else None
    return text if isinstance(text, str) else as_text(content)


def _image(content: Any) -> Image | None:
    """The picture that a value is: an `Image`, or MCP's `ImageContent`."""
    if isinstance(content, Image):
        return content
    data, media_type = _member(content, "data"), _member(content, "mimeType")
    if _member(content, "type") != "image" or not isinstance(data, str) or not isinstance(media_type, str):
        return None
    try:
        return Image(base64.b64decode(data, validate=True), media_type)
    except ValueError:
        return None


def _is_mcp_result(value: Any) -> bool:
    return isinstance(_member(value, "isError"), bool) and isinstance(_member(value, "content"), list)


def _member(value: Any, name: str) -> Any:
    """A member of a dict, or of MCP's own objects."""
    return value.get(name) if isinstance(value, dict) else getattr(value, name, None)


def _told(value: Any) -> Any:
    return _plain(value, str)


def _shown(value: Any) -> Any:
    return _plain(value, lambda image: {"type": "image", "data": image.base64, "mimeType": image.media_type})


def _plain(value: Any, image: Callable[[Image], Any]) -> Any:
    if isinstance(value, Image):
        return image(value)
    if not isinstance(value, type):
        dump = getattr(value, "model_dump", None)
        if dump is not None:
            return dump(mode="json")
        if dataclasses.is_dataclass(value):
            return {field.name: getattr(value, field.name) for field in dataclasses.fields(value)}
    return str(value)
