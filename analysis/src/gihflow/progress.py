"""What a long call tells while it works: a bar of tqdm, remarks as warnings."""

from __future__ import annotations

import sys
import warnings


class Remark(UserWarning):
    """What a user should know about a call that did what it was told: an option without effect, for one."""


class Listener:
    """Follows a call. The bar is drawn in notebooks and terminals, not into files."""

    def __init__(self, progress: bool):
        self.bar = None
        if progress:
            from tqdm import auto, std

            notebook = auto.tqdm is not std.tqdm and "ipykernel" in sys.modules
            kind, off = (auto.tqdm, False) if notebook else (std.tqdm, None)
            self.bar = kind(total=1.0, disable=off, leave=False, bar_format="{desc} {percentage:3.0f}%|{bar}| {elapsed}{postfix}")

    def note(self, text: str) -> None:
        warnings.warn(text, Remark, stacklevel=4)

    def phase(self, name: str) -> None:
        if self.bar is not None:
            self.bar.set_description(name)

    def progress(self, done: float, stage: int, stages: int, t: float, loss: float, leading: str, p: float,
                 a: float) -> None:
        if self.bar is None:
            return
        self.bar.set_description(f"stage {stage}/{stages}", refresh=False)
        self.bar.set_postfix_str(f"t {t:.3g}, loss {loss:.4f}, p{leading} {p:.3f}, a {a:.3g}", refresh=False)
        self.bar.update(done - self.bar.n)

    def __enter__(self) -> Listener:
        return self

    def __exit__(self, *raised) -> None:
        if self.bar is not None:
            self.bar.close()
