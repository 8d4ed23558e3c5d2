#include "gihflow/chain/stationary.hpp"

#include <algorithm>
#include <bit>
#include <boost/graph/adjacency_list.hpp>
#include <boost/graph/strong_components.hpp>
#include <boost/range/iterator_range.hpp>
#include <cmath>
#include <limits>
#include <numeric>
#include <optional>

#include "base/make_fault.hpp"
#include "chain/scaled.hpp"
#include "gihflow/base/digits.hpp"
#include "gihflow/base/errors.hpp"
#include "gihflow/base/size.hpp"
#include "gihflow/chain/kernel.hpp"

namespace gihflow {

namespace {

// Between these bounds every sum, product and quotient below is a normal double.
constexpr double too_small = 1e-290;
constexpr double too_large = 1e290;

bool unsafe(Scaled /*factor*/, Scaled /*smallest*/) {
  return false;
}
bool unsafe(double factor, double smallest) {
  return factor > too_large || factor * smallest < too_small;
}
bool out_of_range(Scaled /*value*/) {
  return false;
}
bool out_of_range(double value) {
  return !(value >= too_small && value <= too_large);
}

template <class Number>
Number smallest_positive(const Number* row, Index n) {
  Number smallest{};
  for (Index j = 0; j < n; ++j) {
    if (!is_zero(row[j]) && (is_zero(smallest) || double(row[j]) < double(smallest))) {
      smallest = row[j];
    }
  }
  return smallest;
}

// State reduction of Grassmann, Taksar and Heyman: states n−1, n−2, …, 1 are eliminated one after
// the other, each time leaving the chain censored to the remaining states; then back substitution
// from μ_0 = 1. P [n, n] irreducible; destroyed. Empty if a quantity left the range in which Number
// is exact to rounding.
template <class Number>
std::optional<std::vector<Number>> reduce(std::vector<Number>& P, Index n) {
  for (Index k = n - 1; k >= 1; --k) {
    const Number* row_k = P.data() + k * n;
    Number exit{};
    for (Index j = 0; j < k; ++j) exit += row_k[j];
    if (is_zero(exit)) return std::nullopt;
    const Number smallest = smallest_positive(row_k, k);
    for (Index i = 0; i < k; ++i) {
      Number* row_i = P.data() + i * n;
      if (is_zero(row_i[k])) continue;
      const Number f = row_i[k] / exit;
      row_i[k] = f;
      for (Index j = 0; j < k; ++j) row_i[j] += f * row_k[j];
      // A product may underflow if it is added to a larger entry, but not if it becomes an entry by
      // itself.
      if (unsafe(f, smallest)) {
        for (Index j = 0; j < k; ++j) {
          if (!is_zero(row_k[j]) && out_of_range(row_i[j])) return std::nullopt;
        }
        if (out_of_range(f)) return std::nullopt;
      }
    }
  }
  std::vector<Number> mu(size(n));
  mu[0] = Number(1.0);
  for (Index k = 1; k < n; ++k) {
    Number sum{};
    for (Index i = 0; i < k; ++i) sum += mu[size(i)] * P[size(i * n + k)];
    if (out_of_range(sum)) return std::nullopt;
    mu[size(k)] = sum;
  }
  return mu;
}

template <class Number>
std::vector<double> normalised(const std::vector<Number>& mu) {
  Number total{};
  for (const Number& entry : mu) total += entry;
  std::vector<double> law(mu.size());
  for (std::size_t i = 0; i < mu.size(); ++i) law[i] = double(mu[i] / total);
  return law;
}

std::vector<double> law_of_irreducible(const std::vector<double>& transition, Index n) {
  {
    std::vector<double> plain = transition;
    if (const auto mu = reduce(plain, n)) return normalised(*mu);
  }
  std::vector<Scaled> scaled(transition.begin(), transition.end());
  const auto mu = reduce(scaled, n);
  if (!mu) throw InputError(fault("stationary law", "", "the chain is not irreducible"));
  return normalised(*mu);
}

// The transitions of positive probability.
using Graph = boost::adjacency_list<boost::vecS, boost::vecS, boost::directedS>;

// The closed classes of states (strongly connected, with no way out), each in increasing order.
std::vector<std::vector<Index>> find_closed_classes(const Graph& graph) {
  const std::size_t n = num_vertices(graph);
  std::vector<std::size_t> component(n);
  const std::size_t components = boost::strong_components(
      graph, boost::make_iterator_property_map(component.begin(), get(boost::vertex_index, graph)));
  std::vector<std::vector<Index>> members(components);
  for (std::size_t v = 0; v < n; ++v) members[component[v]].push_back(static_cast<Index>(v));
  for (const auto edge : boost::make_iterator_range(edges(graph))) {
    const std::size_t from = component[source(edge, graph)];
    if (component[target(edge, graph)] != from) members[from].clear();
  }
  std::erase_if(members, [](const auto& states) { return states.empty(); });
  return members;
}

// The chain over r = r_n consecutive tokens: its transitions, and the context of each state.
struct WindowChain {
  Index d, r, states;
  std::vector<Index> context;  // [states]

  WindowChain(Index vocabulary, std::span<const Index> parents)
      : d(vocabulary),
        r(parents.empty() ? 0 : parents.back()),
        states(power(vocabulary, r, "states of the stationary law")) {
    if (states > max_stationary_states) {
      throw InputError(fault(Field::parents, to_string_lags(parents),
                             "the stationary law of {} consecutive tokens has {} states: must not "
                             "exceed {}",
                             r, states, max_stationary_states));
    }
    context.resize(size(states));
    for (Index s = 0; s < states; ++s) context[size(s)] = context_of_window(s, r, d, parents);
  }
  Index after(Index state, Index token) const { return token * (states / d) + state / d; }
};

Graph graph_of(const WindowChain& chain, std::span<const double> kernel) {
  Graph graph(size(chain.states));
  for (Index s = 0; s < chain.states; ++s)
    for (Index e = 0; e < chain.d; ++e)
      if (kernel[size(chain.context[size(s)] * chain.d + e)] > 0.0)
        add_edge(size(s), size(chain.after(s, e)), graph);
  return graph;
}

bool all_positive(std::span<const double> values) {
  return std::all_of(values.begin(), values.end(), [](double p) { return p > 0.0; });
}

// μ(state, kept tokens) [states, kept] as the chain passes one position after the other; the most
// recently kept token is the most significant digit.
struct LagSteps {
  WindowChain chain;
  std::span<const double> kernel;

  std::vector<double> next(const std::vector<double>& law, bool keeps) const {
    const Index kept = kept_of(law), all = kept * (keeps ? chain.d : 1);
    std::vector<double> next(size(chain.states * all), 0.0);
    transitions([&](Index s, Index e, double p) {
      const Index state = chain.r > 0 ? chain.after(s, e) : 0;
      add(law.data() + s * kept, kept, p, next.data() + state * all + (keeps ? e * kept : 0));
    });
    return next;
  }
  // μ(next token, kept tokens) [d, kept].
  std::vector<double> with_token(const std::vector<double>& law) const {
    const Index kept = kept_of(law);
    std::vector<double> out(size(chain.d * kept), 0.0);
    transitions([&](Index s, Index e, double p) {
      add(law.data() + s * kept, kept, p, out.data() + e * kept);
    });
    return out;
  }
  std::vector<double> without_state(const std::vector<double>& law) const {
    const Index kept = kept_of(law);
    std::vector<double> out(size(kept), 0.0);
    for (Index s = 0; s < chain.states; ++s) add(law.data() + s * kept, kept, 1.0, out.data());
    return out;
  }

 private:
  Index kept_of(const std::vector<double>& law) const {
    return static_cast<Index>(law.size()) / chain.states;
  }
  static void add(const double* x, Index count, double factor, double* to) {
    for (Index k = 0; k < count; ++k) to[k] += factor * x[k];
  }
  template <class Use>
  void transitions(const Use& use) const {
    for (Index s = 0; s < chain.states; ++s)
      for (Index e = 0; e < chain.d; ++e)
        use(s, e, kernel[size(chain.context[size(s)] * chain.d + e)]);
  }
};

[[noreturn]] void refuse_classes(std::size_t count) {
  throw InputError(fault("stationary law", "",
                         "the chain has {} closed classes of states: must be one, else the law is "
                         "not unique",
                         count));
}

// Law of a chain that has `states` as its only closed class.
std::vector<double> law_on_class(const std::vector<double>& transition, Index n,
                                 const std::vector<Index>& states) {
  const Index m = static_cast<Index>(states.size());
  if (m == n) return law_of_irreducible(transition, n);
  std::vector<double> inner(size(m * m));
  for (Index i = 0; i < m; ++i) {
    for (Index j = 0; j < m; ++j) {
      inner[size(i * m + j)] = transition[size(states[size(i)] * n + states[size(j)])];
    }
  }
  const std::vector<double> law = law_of_irreducible(inner, m);
  std::vector<double> all(size(n), 0.0);
  for (Index i = 0; i < m; ++i) all[size(states[size(i)])] = law[size(i)];
  return all;
}

}  // namespace

std::vector<double> stationary_law(std::vector<double> transition, Index states) {
  const Index n = states;
  if (n < 1 || n > max_stationary_states || static_cast<Index>(transition.size()) != n * n) {
    throw InputError(
        fault("stationary law,",
              fmt::format("{} states with {} transition probabilities", n, transition.size()),
              "must be states^2 of them, for 1 to {} states", max_stationary_states));
  }
  Graph graph(size(n));
  for (Index i = 0; i < n; ++i) {
    for (Index j = 0; j < n; ++j) {
      const double p = transition[size(i * n + j)];
      if (!std::isfinite(p) || p < 0.0) {
        throw InputError(fault("stationary law, transition probability",
                               fmt::format("{} from state {} to {}", p, i, j),
                               "must be finite and not negative"));
      }
      if (p > 0.0) add_edge(size(i), size(j), graph);
    }
  }
  const auto classes = find_closed_classes(graph);
  if (classes.size() != 1) refuse_classes(classes.size());
  return law_on_class(transition, n, classes.front());
}

Index closed_classes(std::span<const double> kernel, Index vocabulary,
                     std::span<const Index> parents) {
  if (all_positive(kernel)) return 1;
  const WindowChain chain(vocabulary, parents);
  return static_cast<Index>(find_closed_classes(graph_of(chain, kernel)).size());
}

std::vector<double> stationary_window_law(std::span<const double> kernel, Index vocabulary,
                                          std::span<const Index> parents, Index length) {
  const WindowChain chain(vocabulary, parents);
  const Index d = vocabulary, n = chain.states;
  if (length < 0 || power(d, length, "windows") > max_windows) {
    throw InputError(fault("window length", length,
                           "must be at least 0 and make at most {} windows (vocabulary {})",
                           max_windows, d));
  }

  std::vector<double> law{1.0};  // of no tokens, if r = 0
  if (chain.r > 0) {
    std::vector<double> transition(size(n * n), 0.0);
    for (Index s = 0; s < n; ++s) {
      for (Index e = 0; e < d; ++e) {
        transition[size(s * n + chain.after(s, e))] = kernel[size(chain.context[size(s)] * d + e)];
      }
    }
    if (all_positive(kernel)) {  // every window can follow every other one
      law = law_of_irreducible(transition, n);
    } else {
      const auto classes = find_closed_classes(graph_of(chain, kernel));
      if (classes.size() != 1) refuse_classes(classes.size());
      law = law_on_class(transition, n, classes.front());
    }
  }

  // Forget the oldest token: sum over the least significant digit.
  for (Index have = chain.r; have > length; --have) {
    std::vector<double> shorter(law.size() / size(d), 0.0);
    for (std::size_t window = 0; window < law.size(); ++window) {
      shorter[window / size(d)] += law[window];
    }
    law = std::move(shorter);
  }
  // Append a token: μ(e, window) = π(e | context of window)·μ(window).
  for (Index have = chain.r; have < length; ++have) {
    const Index windows = static_cast<Index>(law.size());
    const Index older = windows / n;  // windows that share their r most recent tokens
    std::vector<double> longer(size(windows * d));
    for (Index window = 0; window < windows; ++window) {
      const double* row = kernel.data() + chain.context[size(window / older)] * d;
      for (Index e = 0; e < d; ++e) longer[size(e * windows + window)] = row[e] * law[size(window)];
    }
    law = std::move(longer);
  }
  return law;
}

std::vector<double> stationary_lag_law(std::span<const double> kernel, Index vocabulary,
                                       std::span<const Index> parents,
                                       std::span<const Index> lags) {
  const Index d = vocabulary, count = static_cast<Index>(lags.size());
  if (lags.empty() || lags.back() == count)
    return stationary_window_law(kernel, vocabulary, parents, count + 1);
  if (power(d, count + 1, "windows") > max_windows)
    throw InputError(fault("lags", "", "{} of a vocabulary of {} make more than {} windows", count,
                           d, max_windows));
  const LagSteps steps{WindowChain(vocabulary, parents), kernel};
  std::vector<double> law = stationary_window_law(kernel, vocabulary, parents, steps.chain.r);
  for (Index lag = lags.back(); lag >= 0; --lag)
    law = steps.next(law, lag == 0 || std::binary_search(lags.begin(), lags.end(), lag));
  return steps.without_state(law);
}

void visit_lag_laws(std::span<const double> kernel, Index vocabulary,
                    std::span<const Index> parents, std::span<const Index> lags, Index degree,
                    const LagLawUse& use) {
  const LagSteps steps{WindowChain(vocabulary, parents), kernel};
  // The set of lags of tokens that were kept at some times, seen from a time; 0: not all are lags.
  const auto set_at = [&](Index time, std::span<const Index> kept_at) {
    std::uint32_t set = 0;
    for (const Index kept : kept_at) {
      const auto lag = std::ranges::lower_bound(lags, time - kept);
      if (lag == lags.end() || *lag != time - kept) return std::uint32_t{0};
      set |= std::uint32_t{1} << (lag - lags.begin());
    }
    return set;
  };
  // The oldest token is kept at time 0, whatever its lag: under the stationary law sets that differ
  // by a shift are one until their token is read.
  std::vector<Index> kept_at{0};
  const auto descend = [&](const auto& self, std::vector<double> law, Index time) -> void {
    for (; time <= lags.back(); ++time) {
      if (const std::uint32_t set = set_at(time, kept_at); set != 0)
        use(set, steps.with_token(law));
      if (static_cast<Index>(kept_at.size()) < degree) {
        kept_at.push_back(time);
        if (std::ranges::any_of(lags, [&](Index oldest) { return set_at(oldest, kept_at) != 0; }))
          self(self, steps.next(law, true), time + 1);
        kept_at.pop_back();
      }
      if (time < lags.back()) law = steps.next(law, false);
    }
  };
  if (lags.empty() || degree < 1) return;
  const std::vector<double> law = stationary_window_law(kernel, vocabulary, parents, steps.chain.r);
  descend(descend, steps.next(law, true), 1);
}

}  // namespace gihflow
