"""What a run shows, in one sentence per figure; every number in it is computed from the file."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from gihflow.run_file import Baselines, Run, Stage

TAKEN_OVER = 0.99  # weight from which a set counts as having taken over
MOVED = 1e-3  # change of attention from which a head counts as having moved


def number(x: float) -> str:
    """Three significant digits, as a reader would write them: 231, 50,000, 0.00123, 1.2·10⁻⁶."""
    if not np.isfinite(x):
        return {True: "∞", False: "−∞"}[x > 0] if not np.isnan(x) else "undefined"
    if x == 0:
        return "0"
    rounded = float(f"{x:.3g}")
    if 1e-3 <= abs(rounded) < 1e7:
        digits = max(0, 2 - int(np.floor(np.log10(abs(rounded)))))
        text = f"{rounded:,.{digits}f}"
        if rounded == x and "." in text:  # an exact number such as 0.01 gets no zeros
            text = text.rstrip("0").rstrip(".")
        return text.replace("-", "−")
    mantissa, _, exponent = f"{x:.1e}".partition("e")
    return f"{mantissa}·10{superscript(int(exponent))}".replace("-", "−")


def superscript(n: int) -> str:
    return str(n).translate(str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹"))


def weight(x: float) -> str:
    """A weight in [0, 1] with so many digits that 1 minus it shows: 0.909, 0.9957, 0.99998."""
    digits = 3 if x < 0.99 else min(8, 2 + int(np.floor(-np.log10(max(1 - x, 1e-8)))))
    return f"{x:.{digits}f}"


def set_name(members: tuple[int, ...]) -> str:
    return "{" + ",".join(map(str, members)) + "}" if members else "∅"


def listing(words: list[str]) -> str:
    return " and ".join([", ".join(words[:-1]), words[-1]] if len(words) > 1 else words)


def stage_name(run: Run, stage: Stage) -> str:
    """ "stage II", or "training" where there is one stage alone."""
    return f"stage {roman(stage.number)}" if len(run.stages) > 1 else "training"


def roman(n: int) -> str:
    digits = {10: "X", 9: "IX", 5: "V", 4: "IV", 1: "I"}
    text = ""
    for value, letters in digits.items():
        text += letters * (n // value)
        n %= value
    return text


def training(run: Run, block: str) -> list[Stage]:
    """The stages that train a block and have got beyond t = 0; all that have, where none trains it."""
    begun = [stage for stage in run.stages if len(stage.t) > 1]
    return [stage for stage in begun if block in stage.trained] or begun


def leader(run: Run) -> int:
    """The subset with the largest weight at the end of the run."""
    return int(np.argmax(np.nan_to_num(run.stages[-1].p[-1])))


def heaviest(run: Run, count: int) -> list[int]:
    """The subsets with most weight on average over the stages that train c, the one that leads at the end first."""
    mean = np.nanmean(np.concatenate([stage.p for stage in training(run, "c")]), axis=0)
    best = leader(run)
    return [best, *(int(s) for s in np.argsort(-mean, kind="stable") if s != best)][:count]


def take_over_time(stage: Stage, subset: int, level: float = TAKEN_OVER) -> float | None:
    """First flow time at which p of a subset reaches a level, None if it never does. Between output times the log odds
    are interpolated linearly, which is how they move under (7.1)."""
    p = stage.p[:, subset]
    rest = np.sum(np.delete(stage.p, subset, axis=1), axis=1)
    reached = np.flatnonzero(p >= level)
    if len(reached) == 0:
        return None
    k = reached[0]
    if k == 0:
        return 0.0
    tiny = np.finfo(float).tiny
    before, after = (np.log(max(p[i], tiny)) - np.log(max(rest[i], tiny)) for i in (k - 1, k))
    share = (np.log(level / (1 - level)) - before) / (after - before)
    return float(stage.t[k - 1] + share * (stage.t[k] - stage.t[k - 1]))


def watched_component(run: Run, head: int) -> int:
    """The component whose weight is followed over time: the head's own lag, else where most weight ends."""
    own = int(run.own_component[head])
    return own if own >= 0 else int(np.argmax(run.stages[-1].attention[-1, head]))


def watched_weight(run: Run, stage: Stage, head: int) -> np.ndarray:
    """[times] the weight of watched_component."""
    return stage.attention[:, head, watched_component(run, head)]


def baselines(run: Run) -> tuple[str, Baselines] | None:
    """The baselines to draw and the chains they are on: the validation chains' where there are any."""
    if run.validation_baselines and all(stage.validation_loss is not None for stage in run.stages):
        return "validation", run.validation_baselines
    if run.training_baselines:
        return "training", run.training_baselines
    return None


def relative_residual(stage: Stage) -> np.ndarray | None:
    """[times] energy residual over the stage's loss drop; None where the loss is the same at both ends or not finite."""
    if not np.isfinite([stage.loss[0], stage.loss[-1]]).all() or stage.loss[0] == stage.loss[-1]:
        return None
    return stage.energy_residual / abs(stage.loss[0] - stage.loss[-1])


def _capital(sentence: str) -> str:
    return sentence[0].upper() + sentence[1:]


def simplex(run: Run, sets: Sequence[int] | None = None) -> str:
    sets = heaviest(run, 3) if sets is None else list(sets)
    stages = training(run, "c")
    first, last = stages[0].p[0, sets], stages[-1].p[-1, sets]
    shares = listing([f"{weight(x)} of {set_name(run.subsets[s])}" for x, s in zip(last, sets)])
    return _capital(f"{stage_name(run, stages[-1])} ends at p = {shares}; the sets drawn have {weight(first.sum())} of the weight "
                    f"at the start and {weight(last.sum())} at the end.")


def weights(run: Run) -> str:
    best = leader(run)
    name = set_name(run.subsets[best])
    stages = training(run, "c")
    for stage in stages:
        where = stage_name(run, stage)
        time = take_over_time(stage, best)
        if time == 0:
            return _capital(f"{where} begins with weight {weight(stage.p[0, best])} on {name} already.")
        if time is not None and stage.p[-1, best] >= TAKEN_OVER:
            return _capital(f"{where} gives all weight to {name}: p reaches {TAKEN_OVER} at t = {number(time)}.")
    stage = stages[-1]
    order = np.argsort(-stage.p[-1], kind="stable")
    first = f"{set_name(run.subsets[order[0]])} with p = {weight(stage.p[-1, order[0]])}"
    second = ""
    if len(order) > 1:
        second = f", ahead of {set_name(run.subsets[order[1]])} with {weight(stage.p[-1, order[1]])}"
    return _capital(f"{stage_name(run, stage)} ends with most weight on {first}{second} at t = {number(stage.t[-1])}.")


def _heads(heads: list[int]) -> str:
    return f"head{'s' if len(heads) > 1 else ''} {listing([str(head + 1) for head in heads])}"


def attention(run: Run) -> str:
    stages = training(run, "w")
    first, last = stages[0], stages[-1]
    change = np.max(np.abs(last.attention[-1] - first.attention[0]), axis=1)
    moved = [int(head) for head in np.flatnonzero(change >= MOVED)]
    still = [int(head) for head in np.flatnonzero(change < MOVED)]
    lags = "its own lag" if len(moved) == 1 else "their own lags"
    if any(run.own_component[head] < 0 for head in moved):
        lags = "one lag each"
    where = stage_name(run, last)
    if not moved:
        return _capital(f"{where} leaves the attention of every head within {number(np.max(change))} of its start.")
    if len(moved) > 4:  # too many to name each
        ends = [watched_weight(run, last, head)[-1] for head in moved]
        text = f"{where} brings {len(moved)} heads to {weight(min(ends))} … {weight(max(ends))}"
    else:
        ends = listing([weight(watched_weight(run, last, head)[-1]) for head in moved])
        text = f"{where} brings {_heads(moved)} to {ends}"
    text += f" of {'its' if len(moved) == 1 else 'their'} attention on {lags}"
    if still and len(still) <= 4:
        rest = max(change[head] for head in still)
        text += f" and moves {_heads(still)} by {number(rest)} only" if rest > 0 else f" and does not move {_heads(still)}"
    return _capital(text + ".")


def scale(run: Run) -> str:
    stage = training(run, "a")[-1]
    start, end = stage.a[0], stage.a[-1]
    where = stage_name(run, stage)
    if abs(end - start) < 1e-12 * max(1.0, abs(start)):
        return _capital(f"{where} leaves a at {number(start)}.")
    if not np.isfinite([start, end]).all():
        return _capital(f"{where} takes a from {number(start)} to {number(end)}.")
    middle = (start + end) / 2
    k = int(np.flatnonzero((stage.a - middle) * np.sign(end - start) >= 0)[0])
    share = (middle - stage.a[k - 1]) / (stage.a[k] - stage.a[k - 1])
    half = stage.t[k - 1] + share * (stage.t[k] - stage.t[k - 1])
    verb = "raises" if end > start else "lowers"
    return _capital(f"{where} {verb} a from {number(start)} to {number(end)} at t = {number(stage.t[-1])}, "
                    f"half of the way by t = {number(half)}.")


def _above(difference: float) -> str:
    return f"{number(abs(difference))} nats {'above' if difference >= 0 else 'below'}"


def loss(run: Run) -> str:
    lines = baselines(run)
    kind = lines[0] if lines else "training"
    last = run.stages[-1]
    values = last.validation_loss if kind == "validation" else last.loss
    start = run.stages[0].validation_loss[0] if kind == "validation" else run.stages[0].loss[0]
    if not np.isfinite([start, values[-1]]).all():
        return f"The {kind} loss is {number(start)} at the start and {number(values[-1])} at the end."
    if lines is None or not np.isfinite(lines[1].gih_loss):
        return f"The {kind} loss goes from {start:.4f} to {values[-1]:.4f} nats."
    gih = lines[1].gih_loss
    return (f"The {kind} loss ends {_above(values[-1] - gih)} GIH({set_name(run.gih_lags)})'s own loss on the same "
            f"chains, {values[-1]:.4f} against {gih:.4f}, having started at {start:.4f}.")


def energy(run: Run) -> str:
    worst, stage = -1.0, None
    for candidate in run.stages:
        relative = relative_residual(candidate)
        if relative is not None and np.nanmax(np.abs(relative), initial=-1.0) > worst:
            worst, stage = float(np.nanmax(np.abs(relative))), candidate
    if stage is None:
        finite = all(np.isfinite(candidate.loss).all() for candidate in run.stages)
        return f"The loss {'does not change' if finite else 'is not finite'}, so that there is no energy to balance."
    drop = f"each stage's loss drop, the worst being {stage_name(run, stage)}" if len(run.stages) > 1 else "the loss drop"
    if any(candidate.descends for candidate in run.stages):
        return f"The discrete steps leave the energy law of the flow by up to {number(worst)} of {drop}."
    return f"The energy law holds to within {number(worst)} of {drop}."


def overview(run: Run) -> str:
    """All phases in one sentence."""
    best = leader(run)
    clauses = []  # stage, what it does
    for stage in training(run, "c"):
        time = take_over_time(stage, best)
        if "c" in stage.trained and time and stage.p[-1, best] >= TAKEN_OVER:
            clauses.append((stage, f"gives all weight to {set_name(run.subsets[best])} by t = {number(time)}"))
            break
    stage = training(run, "w")[-1]
    heads = [head - 1 for head in run.subsets[best]]
    if "w" in stage.trained and 0 < len(heads) <= 4:
        lags = "its own lag" if len(heads) == 1 else "their own lags"
        ends = listing([weight(watched_weight(run, stage, head)[-1]) for head in heads])
        clauses.append((stage, f"focuses {_heads(heads)} on {lags} ({ends})"))
    stage = training(run, "a")[-1]
    if "a" in stage.trained:
        verb = "raises" if stage.a[-1] > stage.a[0] else "lowers" if stage.a[-1] < stage.a[0] else "takes"
        clauses.append((stage, f"{verb} a to {number(stage.a[-1])}"))
    if not clauses:
        return loss(run)
    words = [what if k > 0 and clauses[k - 1][0] is stage else f"{stage_name(run, stage)} {what}"
             for k, (stage, what) in enumerate(clauses)]
    end = ""
    lines = baselines(run)
    last = run.stages[-1]
    values = last.validation_loss if lines and lines[0] == "validation" else last.loss
    if lines and np.isfinite([lines[1].gih_loss, values[-1]]).all():
        end = (f", where the {lines[0]} loss is {_above(values[-1] - lines[1].gih_loss)} "
               f"GIH({set_name(run.gih_lags)})'s own")
    return _capital(listing(words) + end + ".")
