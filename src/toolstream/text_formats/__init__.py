"""Tool calls inside a local model's raw text, as they are written.

Each family of models has its own markup. A format (`formats.py`) declares it, `families.py` lists those that are known,
and the readers (`reader.py` and one for each kind of body) turn the text into what the assembler takes.
"""

from .adapter import TextAdapter
from .detection import ANY, prefill_of, text_format
from .families import FORMATS
from .formats import TextFormat

__all__ = ["ANY", "FORMATS", "TextAdapter", "TextFormat", "prefill_of", "text_format"]
