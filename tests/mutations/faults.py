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
    # base
    Fault("wrong subset order", "src/base/subsets.cpp",  # differs from four elements on
          "  return all;\n",
          "  std::stable_sort(all.begin(), all.end(), [](std::uint32_t x, std::uint32_t y) {\n"
          "    return std::popcount(x) != std::popcount(y) ? std::popcount(x) < std::popcount(y) : x < y;\n"
          "  });\n"
          "  return all;\n",
          ("test_base: every subset comes once",)),
    Fault("streams that meet", "src/base/random.cpp",
          "+ 256 * static_cast<std::uint32_t>(variate)",
          "+ static_cast<std::uint32_t>(variate)",
          ("test_base: a stream is Philox with",)),
    Fault("missing round", "src/base/random.cpp",
          "round < 10;",
          "round < 9;",
          ("test_base: uniforms in bulk are",)),
    Fault("limit of the own group only", "src/base/control_group.cpp",
          "more = !group.empty();",
          "more = false;",
          ("test_base: the least limit of a group",)),
    # chain
    Fault("off-by-one lag", "src/chain/kernel.cpp",
          "for (; lag > parents[i]; --lag) window /= vocabulary;",
          "for (; lag >= parents[i]; --lag) window /= vocabulary;",
          ("test_chain: the context of a window is",)),
    Fault("dropped normalisation", "src/chain/stationary.cpp",
          "law[i] = double(mu[i] / total);",
          "law[i] = double(mu[i]);",
          ("test_chain: two states, by hand",)),
    Fault("wrong label row", "src/chain/sequence.cpp",
          "const Index context = context_at(tokens, last, vocabulary_, parents_);",
          "const Index context = context_at(tokens, last - 1, vocabulary_, parents_);",
          ("test_chain: conditional labels are the kernel",)),
    Fault("prior without weight", "src/chain/sequence.cpp",
          "entry = (entry / unit + alpha / unit) / total;",
          "entry = entry / unit / total;",
          ("test_chain: posterior labels count what followed",)),
    Fault("inverted shape", "src/chain/distributions.cpp",
          "std::log(stream.uniform()) / shape;",
          "std::log(stream.uniform()) * shape;",
          ("test_chain: exponentials of log-gamma variates",)),
    Fault("floor on top", "src/chain/prior.cpp",
          "entry = kept * entry + prior.floor;",
          "entry = entry + kept * 0.0 + prior.floor;",
          ("test_chain: the floor mixes the kernel",)),
    # information
    Fault("unweighted contexts", "src/information/chi_square.cpp",
          "result.modified += mass * share;",
          "result.modified += share;",
          ("test_information: chi-square informations of every set",)),
    Fault("gap of two measures", "src/information/chi_square.cpp",
          "row[best].modified - row[second].modified",
          "row[best].modified - row[second].standard",
          ("test_information: ranking, gap and paired errors",)),
    Fault("lags back to front", "src/information/chi_square.cpp",
          "mask | 1u << (lags - 1)",
          "mask | 1u << (window_ - lags)",
          ("test_information: chi-square informations of every set",)),
    # model
    Fault("c for its square", "src/model/parameters.cpp",
          "2.0 * std::log(std::abs(c[i]))",
          "1.0 * std::log(std::abs(c[i]))",
          ("test_model: coefficients survive",)),
    Fault("all heads on lag 1", "src/model/parameters.cpp",
          "lag == own_lag(model, h)",
          "lag == own_lag(model, 0)",
          ("test_model: the initial point puts each head",)),
    # population
    Fault("sign", "src/population/model_tables.cpp",
          "+= sigma[i] * (s[i] - mean) / chains;",
          "+= sigma[i] * (s[i] + mean) / chains;",
          ("test_population: sums over chains become the derivatives",)),
    Fault("index shift", "src/population/model_tables.cpp",
          "sigma_sums = p_sums + S;",
          "sigma_sums = p_sums + S - 1;",
          ("test_population: sums over chains become the derivatives",)),
    Fault("swapped heads", "src/population/model_tables.cpp",  # differs with shifted windows only
          "first_lag_.push_back(model.lag(h, 0) - 1);",
          "first_lag_.push_back(model.lag(model.heads - 1 - h, 0) - 1);",
          ("test_population: attention runs over the lags that exist",)),
    Fault("stale table", "src/population/statistics.cpp",  # counts of the sequence before are kept
          "for (const std::uint64_t k : seen_) table_[k] = 0;",
          "seen_.clear();",
          ("test_population: the layout in tiles keeps every count",)),
    Fault("prefixes end too early", "src/population/statistics.cpp",
          "if (l > shortest) {",
          "if (l >= shortest && l <= length) {",
          ("test_population: counts of the prefixes",)),
    Fault("errors over prefixes", "src/population/tiled.cpp",
          "*row++ += x / static_cast<double>(prefixes_);",
          "*row++ = x;",
          ("test_population: minibatches and standard errors at all positions",)),
    Fault("counts in too few bytes", "src/population/tiled_statistics.cpp",
          "most <= 0xff ? 1",
          "most <= 0xffff ? 1",
          ("test_population: the layout in tiles keeps every count",)),
    Fault("unsummed block", "src/population/tiled.cpp",
          "    for (Index block = 1; block < blocks; ++block)\n"
          "      for (Index i = 0; i < size; ++i)\n"
          "        partial[",
          "    for (Index block = 2; block < blocks; ++block)\n"
          "      for (Index i = 0; i < size; ++i)\n"
          "        partial[",
          ("test_population: dense and sparse engines agree to 1e-13",)),
    Fault("lost way back", "src/population/formulas.hpp",  # through all but the first of a subset's supersets
          "kappa_bar[parent] = kappa_bar[parent] + kappa_bar[i] * t[h];",
          "kappa_bar[parent] = kappa_bar[i] * t[h];",
          ("test_population: dense and sparse engines agree with the reference",)),
    Fault("norm as it is", "src/population/features.hot.cpp",  # that of l2 taken for a constant
          "(head.bar[e] - head.v[e] * pull) / divisor",
          "(head.bar[e] - head.v[e] * (pull - pull)) / divisor",
          ("test_population: dense and sparse engines agree with the reference",)),
    Fault("residual without its mean", "src/population/laws.hot.cpp",
          "      mean = mean + r * y;\n",
          "",
          ("test_population: loss, gradient and second derivatives in infinite context",)),
    Fault("direction off the sphere", "src/population/objective.cpp",
          "* (gradient.p[i] - mean);",
          "* (gradient.p[i] - 0.0 * mean);",
          ("test_population: identities of the gradient",)),
    Fault("doubled gain", "src/population/gain.cpp",
          "along.a = 1.0;",
          "along.a = 2.0;",
          ("test_population: the gain is the derivative",)),
    # flow
    Fault("missing factor", "src/flow/cartesian.cpp",
          "mean = dot(at.p, g.p), scale = 2.0 / normalizer(x);",
          "mean = dot(at.p, g.p), scale = 1.0 / normalizer(x);",
          ("test_flow: each optimizer follows its rule",)),
    Fault("half a curvature", "src/flow/cartesian.cpp",
          "const double mean_along = dot(along.p, g.p) + dot(at.p, dg.p);",
          "const double mean_along = dot(at.p, dg.p);",
          ("test_flow: Hessians are those of nested dual numbers",)),
    Fault("theta without its mean", "src/flow/coordinates.cpp",
          "rate * (-gradient.p[static_cast<std::size_t>(i)] - mean);",
          "rate * (-gradient.p[static_cast<std::size_t>(i)] - 0.0 * mean);",
          ("test_flow: energy law and gauge hold",)),
    Fault("chains left over", "src/flow/descent.cpp",
          "(chains + batch_ - 1) / batch_;",
          "chains / batch_;",
          ("test_flow: minibatches visit every chain once",)),
    Fault("longer memory", "src/flow/descent.cpp",
          "momentum_decay = 0.9;",
          "momentum_decay = 0.99;",
          ("test_flow: each optimizer follows its rule",)),
    Fault("half the correction", "src/flow/modified.cpp",
          "dxdt -= 0.5 * rate_ * product_;",
          "dxdt -= 0.25 * rate_ * product_;",
          ("test_flow: descent tends to the flow at order 1",)),
    Fault("wrong digit", "src/flow/rodas5p.cpp",
          "-2.859693295451294,",
          "-2.859793295451294,",
          ("test_flow: observed orders of steps",)),
    Fault("times beyond the end", "src/flow/schedule.cpp",
          "std::exp(log_first + step);",
          "std::exp(log_first + 2.0 * step);",
          ("test_flow: output times start at zero",)),
    # theory
    Fault("half the speed", "src/theory/replicator.cpp",
          "scale_(4.0 *",
          "scale_(2.0 *",
          ("test_theory: the closed form solves",)),
    Fault("smoothing that adds up", "src/theory/predictors.cpp",
          "sum = 1.0 + static_cast<double>(y.size()) * model.epsilon;",
          "sum = 1.0 + model.epsilon;",
          ("test_theory: baselines are the means and standard errors",)),
    Fault("constant without M", "src/theory/concentration.cpp",
          "c.constant /= a * static_cast<double>(M);",
          "c.constant /= a;",
          ("test_theory: late times follow the constants",)),
    Fault("twice the variation", "src/theory/distance.cpp",
          "tv[i] += 0.5 * std::abs(g[e] - y[e]);",
          "tv[i] += std::abs(g[e] - y[e]);",
          ("test_theory: distances by hand",)),
    # record
    Fault("half a token", "src/record/data_hash.cpp",
          "state = (state ^ (token >> 8)) * fnv_prime;",
          "state = (state ^ (token >> 16)) * fnv_prime;",
          ("test_record: a chain is hashed as 16-bit tokens",)),
    Fault("order of negative numbers", "src/record/difference.cpp",
          "return bits ^ (bits < 0 ? std::numeric_limits<std::int64_t>::max() : 0);",
          "return bits;",
          ("test_record: numbers differ by bits",)),
    Fault("temporary left behind", "src/record/output_file.cpp",
          "if (!renamed_) unlink(path_.c_str());",
          "",
          ("test_record: a failed write leaves the old file",)),
    # run
    Fault("rise since the start", "src/run/train.cpp",
          "    before = snapshot.loss;\n",
          "",
          ("test_run: certificates of a stage",)),
    # cli
    Fault("files that differ", "src/cli/diff.cpp",
          "return difference.equal() ? 0 : 1;",
          "return difference.equal() ? 0 : 0;",
          ("cli/diff.py",)),
)
