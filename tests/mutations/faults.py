"""Deliberate faults, each of which the tests named with it have to catch.

A fault replaces one stretch of one source, which must occur there exactly once: a test fails when a source has moved on.
"""

from dataclasses import dataclass


@dataclass(frozen=True)
class Fault:
    name: str
    path: str
    old: str
    new: str
    checks: tuple[str, ...]  # tried in this order: "test_flow: part of a case's name", "test_flow", "cli/diff.py"

    def applied(self, text):
        """The text of `path` with the fault in it. ValueError unless `old` occurs once."""
        if (count := text.count(self.old)) != 1:
            raise ValueError(f"fault {self.name}: in {self.path} its place occurs {count} times: {self.old!r}")
        return text.replace(self.old, self.new)


FAULTS = (
    Fault("sign", "src/population/model_tables.cpp",
          "+= sigma[i] * (s[i] - mean) / chains;",
          "+= sigma[i] * (s[i] + mean) / chains;",
          ("test_population",)),
    Fault("index shift", "src/population/model_tables.cpp",
          "sigma_sums = p_sums + S;",
          "sigma_sums = p_sums + S - 1;",
          ("test_population",)),
    Fault("missing factor", "src/flow/cartesian.cpp",
          "mean = dot(at.p, g.p), scale = 2.0 / normalizer(x);",
          "mean = dot(at.p, g.p), scale = 1.0 / normalizer(x);",
          ("test_flow",)),
    Fault("wrong subset order", "src/base/subsets.cpp",  # differs from four elements on
          "  return all;\n",
          "  std::stable_sort(all.begin(), all.end(), [](std::uint32_t x, std::uint32_t y) {\n"
          "    return std::popcount(x) != std::popcount(y) ? std::popcount(x) < std::popcount(y) : x < y;\n"
          "  });\n"
          "  return all;\n",
          ("test_base", "test_population")),
    Fault("off-by-one lag", "src/chain/kernel.cpp",
          "for (; lag > parents[i]; --lag) window /= vocabulary;",
          "for (; lag >= parents[i]; --lag) window /= vocabulary;",
          ("test_chain",)),
    Fault("dropped normalisation", "src/chain/stationary.cpp",
          "law[i] = double(mu[i] / total);",
          "law[i] = double(mu[i]);",
          ("test_chain",)),
    Fault("wrong label row", "src/chain/sequence.cpp",
          "const Index context = context_at(tokens, options_.length, vocabulary_, parents_);",
          "const Index context = context_at(tokens, options_.length - 1, vocabulary_, parents_);",
          ("test_chain",)),
    Fault("stale table", "src/population/statistics.cpp",  # counts of the sequence before are kept
          "        table_[k] = 0;\n",
          "",
          ("test_population",)),
    Fault("unsummed block", "src/population/tiled.cpp",
          "    for (Index block = 1; block < blocks; ++block)\n"
          "      for (Index i = 0; i < size; ++i)\n"
          "        partial[",
          "    for (Index block = 2; block < blocks; ++block)\n"
          "      for (Index i = 0; i < size; ++i)\n"
          "        partial[",
          ("test_population",)),
    Fault("swapped heads", "src/population/model_tables.cpp",  # differs with shifted windows only
          "first_lag_.push_back(model.lag(h, 0) - 1);",
          "first_lag_.push_back(model.lag(model.heads - 1 - h, 0) - 1);",
          ("test_population",)),
)
