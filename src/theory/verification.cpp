#include "gihflow/theory/verification.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <boost/math/special_functions/beta.hpp>
#include <cmath>
#include <limits>

#include "gihflow/base/context.hpp"
#include "gihflow/base/subsets.hpp"
#include "gihflow/chain/prior.hpp"
#include "gihflow/flow/flow.hpp"
#include "gihflow/information/chi_square.hpp"
#include "gihflow/population/gain.hpp"
#include "gihflow/population/infinite.hpp"
#include "gihflow/theory/concentration.hpp"
#include "gihflow/theory/distance.hpp"
#include "gihflow/theory/replicator.hpp"
#include "gihflow/theory/sharpening.hpp"
#include "theory/readings.hpp"
#include "theory/root.hpp"

namespace gihflow {

namespace {

constexpr double nan = std::numeric_limits<double>::quiet_NaN();
/// Logit of a head that looks at one lag alone.
constexpr double one_hot_logit = 1000.0;

std::size_t size(Index n) {
  return static_cast<std::size_t>(n);
}

std::string set_name(std::span<const Index> lags) {
  return fmt::format("{{{}}}", to_string_lags(lags));
}

/// Position in subsets() of the heads that look at these lags at the start, head h at lag h.
Index position(const Model& model, std::span<const Index> lags) {
  std::uint32_t mask = 0;
  for (const Index head : lags) mask |= 1u << (head - 1);
  return subset_index(mask, model.heads);
}

/// p = δ_S exactly: the coefficients of all other subsets are 0.
void select(Parameters& parameters, Index set) {
  std::vector<double> c(parameters.log_c_squared.size(), 0.0);
  c[size(set)] = 0.01;
  parameters.set_c(c);
}

/// k of ȧ = C e^{−ka} through three points of a trajectory: the root of
/// (e^{k(a₂−a₁)} − 1)/(e^{k(a₃−a₁)} − 1) = (t₂−t₁)/(t₃−t₁). From the motion alone, no gradient.
double growth_rate(const Snapshot& s1, const Snapshot& s2, const Snapshot& s3) {
  const double near = s2.parameters.a - s1.parameters.a, far = s3.parameters.a - s1.parameters.a;
  const double ratio = (s2.t - s1.t) / (s3.t - s1.t);
  return root([&](double k) { return std::expm1(k * near) / std::expm1(k * far) - ratio; }, 1e-6,
              20.0);
}

/// C of ȧ = C e^{−ka} between two points, given k.
double growth_constant(const Snapshot& s1, const Snapshot& s2, double k) {
  return (std::exp(k * s2.parameters.a) - std::exp(k * s1.parameters.a)) / (k * (s2.t - s1.t));
}

const Snapshot& nearest_a(const std::vector<Snapshot>& snapshots, double a) {
  return *std::min_element(snapshots.begin(), snapshots.end(),
                           [a](const Snapshot& x, const Snapshot& y) {
                             return std::abs(x.parameters.a - a) < std::abs(y.parameters.a - a);
                           });
}

constexpr Index lattice_points = 6765, lattice_generator = 4181;  // Fibonacci numbers

/// Kernels of order one over two tokens whose rows are Beta(α, α): instead of random draws the
/// quantiles at the points of a Fibonacci lattice with F points. In each row every (i + ½)/F occurs
/// once, so that the set follows the prior down to probabilities of quantile 1/F, and its sampling
/// error is far below that of as many draws.
Kernels lattice_kernels(double alpha) {
  using InDouble = boost::math::policies::policy<boost::math::policies::promote_double<false>>;
  std::vector<double> quantile(size(lattice_points));
  double least = -700.0;
  for (Index i = 0; i < lattice_points; ++i) {
    const double u = (static_cast<double>(i) + 0.5) / static_cast<double>(lattice_points);
    if (u > 0.5) {
      quantile[size(i)] = 1.0 - quantile[size(lattice_points - 1 - i)];
      continue;
    }
    // log π rather than π, which may lie far below the spacing of doubles at 1.
    // The median lies inside the bracket.
    least = root(
        [&](double x) { return boost::math::ibeta(alpha, alpha, std::exp(x), InDouble()) - u; },
        least, std::log(0.6));
    quantile[size(i)] = std::exp(least);
  }
  Kernels kernels{2, {1}, lattice_points, {}};
  for (Index i = 0; i < lattice_points; ++i)
    for (const Index place : {i, i * lattice_generator % lattice_points}) {
      kernels.values.push_back(quantile[size(place)]);
      kernels.values.push_back(quantile[size(lattice_points - 1 - place)]);
    }
  return kernels;
}

class Verifier {
 public:
  explicit Verifier(const VerifyOptions& options) : options_(options) {}

  Verification run() {
    for (const std::vector<Index>& parents :
         std::vector<std::vector<Index>>{{1}, {1, 2}, {1, 3}, {2, 3}})
      experiment(fmt::format("selection of {}", set_name(parents)), [&] { selection(parents); });
    experiment("selection in finite context", [&] { finite_selection(); });
    for (const std::vector<Index>& parents : std::vector<std::vector<Index>>{{1, 2}, {1, 3}})
      experiment(fmt::format("concentration on {}", set_name(parents)),
                 [&] { concentration(parents); });
    experiment("start of growth", [&] { growth_start(); });
    for (const double alpha : {0.3, 0.5, 2.0, 5.0})
      experiment(fmt::format("growth without epsilon, alpha {}", alpha), [&] { growth(alpha); });
    experiment("growth with epsilon", [&] { slow_growth(); });
    experiment("plateau in finite context", [&] { plateau(); });
    if (!result_.rows.empty()) certificates();
    return std::move(result_);
  }

 private:
  template <class Body>
  void experiment(const std::string& name, Body&& body) {
    if (interrupt_requested()) return;
    const auto& wanted = options_.experiments;
    if (!wanted.empty() && std::ranges::find(wanted, name) == wanted.end()) return;
    if (options_.progress) options_.progress(name);
    body();
  }

  // --- bookkeeping -------------------------------------------------------------------------------

  void compare(const std::string& phase, const std::string& quantity, double predicted,
               double measured, double tolerance, const std::string& regime) {
    const double difference =
        predicted == 0.0 ? std::abs(measured) : std::abs(measured / predicted - 1.0);
    result_.rows.push_back({phase, quantity, predicted, measured, difference, tolerance,
                            difference <= tolerance, "", "", regime});
  }

  void compare_sets(const std::string& phase, const std::string& quantity,
                    std::span<const Index> predicted, std::span<const Index> measured,
                    const std::string& regime) {
    const bool same = std::ranges::equal(predicted, measured);
    result_.rows.push_back({phase, quantity, nan, nan, same ? 0.0 : 1.0, 0.0, same,
                            set_name(predicted), set_name(measured), regime});
  }

  std::shared_ptr<const Objective> flown(std::shared_ptr<const Objective> objective) const {
    return options_.flow_objective ? options_.flow_objective(std::move(objective)) : objective;
  }

  /// The trajectory of one stage; remembers its certificates.
  std::vector<Snapshot> fly(const std::shared_ptr<const Objective>& objective,
                            const Parameters& start, const Stage& stage, Index outputs,
                            double first_output) {
    FlowOptions flow;
    flow.rtol = 1e-8;
    flow.atol = 1e-12;
    flow.outputs = outputs;
    flow.first_output = first_output;
    TrainingState state = begin_training(start);
    const Outcome outcome = train_flow(state, {stage}, *flown(objective), nullptr, flow, nullptr);
    const StageRecord& record = state.trajectory.stages.back();
    if (outcome != Outcome::reached) ended_badly_ = to_string(outcome);
    worst_drift_ = std::max(worst_drift_, record.gauge_drift);
    for (const Snapshot& s : record.snapshots)
      if (const double dropped = record.snapshots.front().loss - s.loss; dropped > 1e-6)
        worst_residual_ = std::max(worst_residual_, std::abs(s.energy_residual) / dropped);
    return record.snapshots;
  }

  Kernels kernels(const std::vector<Index>& parents, double alpha, Index count) const {
    return draw_kernels({3, parents, alpha, 0.0}, options_.seed, Purpose::verify, count);
  }

  static Model model(double epsilon) {
    Model m;
    m.epsilon = epsilon;
    return m;
  }

  // --- stage I -----------------------------------------------------------------------------------

  /// Rows and curves of stage I for a replicator prediction.
  void compare_selection(const std::shared_ptr<const Objective>& objective, const Parameters& start,
                         const std::vector<double>& gain, const std::string& setting,
                         const std::string& regime, bool every_slope) {
    constexpr double delta = 0.01;
    const Replicator replicator(start, gain);
    const double expected = replicator.takeover_time(delta), duration = 1.5 * expected;
    const auto snapshots =
        fly(objective, start, {.c = true, .duration = duration}, 200, duration / 200.0);
    const auto sets = subsets(start.heads, start.degree);
    const Index winner = replicator.winner();
    const auto& theta = snapshots.back().parameters.log_c_squared;
    compare_sets(
        "I", fmt::format("S* of {}", setting), elements_of(sets[size(winner)]),
        elements_of(sets[size(std::max_element(theta.begin(), theta.end()) - theta.begin())]),
        regime);
    double worst = -1.0, predicted = 0.0, measured = 0.0;
    for (Index i = 0; i < static_cast<Index>(sets.size()); ++i) {
      if (i == winner) continue;
      const double slope = replicator.slope(i, winner);
      const double seen =
          (log_odds(snapshots.back(), i, winner) - log_odds(snapshots.front(), i, winner)) /
          duration;
      if (every_slope)
        compare("I",
                fmt::format("log-odds slope of {}, {}", to_string_subset(sets[size(i)]), setting),
                slope, seen, 0.01, regime);
      if (const double off = std::abs(seen / slope - 1.0); off > worst) {
        worst = off;
        predicted = slope;
        measured = seen;
      }
      if (!every_slope) continue;
      Curve curve{"I",
                  fmt::format("{} against {}, {}", to_string_subset(sets[size(i)]),
                              to_string_subset(sets[size(winner)]), setting),
                  "flow time",
                  "1",
                  "log odds",
                  "1",
                  {},
                  {},
                  {}};
      for (const Snapshot& s : snapshots) {
        curve.x.push_back(s.t);
        curve.measured.push_back(log_odds(s, i, winner));
        curve.predicted.push_back(log_odds(snapshots.front(), i, winner) + slope * s.t);
      }
      result_.curves.push_back(std::move(curve));
    }
    if (!every_slope)
      compare("I", fmt::format("worst log-odds slope, {}", setting), predicted, measured, 0.01,
              regime);
    compare("I", fmt::format("time to p = {}, {}", 1.0 - delta, setting), expected,
            takeover_of(snapshots, winner, delta), 0.01, regime);
  }

  void selection(const std::vector<Index>& parents) {
    const Model m = model(0.0);
    const Kernels k = kernels(parents, 0.1, 300);
    const std::shared_ptr<const Objective> objective = make_infinite_objective(m, k);
    const Parameters start = initial_parameters(m, {one_hot_logit, 0.0, 0.01, 0.001});
    std::vector<double> information;
    for (const RankedSet& set : rank_lag_sets(k, m.window, m.degree).sets)
      information.push_back(set.modified);
    compare_selection(
        objective, start, information, "parents " + set_name(parents),
        "(7.1) with the modified chi-square information, a = 0.001, one-hot attention, epsilon "
        "= 0, infinite context, 300 kernels of Dirichlet(0.1)",
        parents == std::vector<Index>{1, 2});
  }

  void finite_selection() {
    const Model m = model(0.01);
    SamplingOptions sampling;
    sampling.count = 1000;
    sampling.seed = options_.seed;
    sampling.purpose = Purpose::verify;
    const std::shared_ptr<const Objective> objective = make_objective(m, *sample_prior(sampling));
    const Parameters start = initial_parameters(m, {3.0, 0.01, 0.01, 0.001});
    compare_selection(objective, start, selection_gain(*objective, start.w), "context of 100",
                      "(7.1) with G_L as trained, a = 0.001, the paper's attention at the "
                      "start, epsilon = 0.01, L = 100, 1,000 chains",
                      true);
  }

  // --- stage II ----------------------------------------------------------------------------------

  void concentration(const std::vector<Index>& parents) {
    constexpr double a = 1e-4, duration = 1e13;
    const Model m = model(0.01);
    const std::shared_ptr<const Objective> objective =
        make_infinite_objective(m, kernels(parents, 0.1, 60));
    const Index set = position(m, parents);
    Parameters start = initial_parameters(m, {3.0, 0.01, 0.01, a});
    select(start, set);
    const auto expected = concentrations(*objective, set, start.w, a);
    const auto snapshots = fly(objective, start, {.w = true, .duration = duration}, 60, 1e3);
    ReducedAttention reduced(*objective, set, start.w, a);
    const std::string setting = "parents " + set_name(parents);
    std::vector<std::vector<double>> path;
    for (const Snapshot& s : snapshots) path.push_back(reduced.advance(s.t));

    for (const Concentration& c : expected) {
      Curve curve{"II",
                  fmt::format("head {}, {}", c.head + 1, setting),
                  "flow time",
                  "1",
                  "1 - attention on its lag",
                  "1",
                  {},
                  {},
                  {}};
      Curve limit = curve;
      limit.name += ", asymptote";
      double worst = -1.0, worst_predicted = 0, worst_measured = 0, from = nan;
      for (std::size_t i = 1; i < snapshots.size(); ++i) {
        const double t = snapshots[i].t;
        const double seen = unattended(snapshots[i].parameters, c.head, c.component);
        Parameters q = start;
        q.w = path[i];
        const double known = unattended(q, c.head, c.component);
        curve.x.push_back(t);
        curve.measured.push_back(seen);
        curve.predicted.push_back(known);
        limit.predicted.push_back(c.constant / t);
        if (const double off = std::abs(seen / known - 1.0); off > worst) {
          worst = off;
          worst_predicted = known;
          worst_measured = seen;
        }
        if (std::abs(seen * t / c.constant - 1.0) > 0.01)
          from = nan;
        else if (std::isnan(from))
          from = t;
      }
      limit.x = curve.x;
      limit.measured = curve.measured;
      compare("II", fmt::format("t(1 - attention) of head {}, {}", c.head + 1, setting), c.constant,
              duration * curve.measured.back(), 0.01,
              fmt::format("(7.2) at t = 1e13, a = 1e-4 (a*t = 1e9), p on S*, epsilon = 0.01, "
                          "infinite context, 60 kernels; within 1 % from t = {:.2g}",
                          from));
      compare(
          "II", fmt::format("1 - attention of head {}, worst of all t, {}", c.head + 1, setting),
          worst_predicted, worst_measured, 0.01, "gradient flow of a*G(S*;w) in w alone, a = 1e-4");
      result_.curves.push_back(std::move(curve));
      result_.curves.push_back(std::move(limit));
    }
    double moved = 0.0;
    for (Index h = 0; h < m.heads; ++h) {
      if (std::ranges::find(parents, h + 1) != parents.end()) continue;
      for (const Snapshot& s : snapshots)
        for (Index j = 0; j < m.window; ++j)
          moved = std::max(moved, std::abs(s.parameters.w[size(h * m.window + j)] -
                                           start.w[size(h * m.window + j)]));
    }
    compare("II", fmt::format("motion of unused heads, {}", setting), 0.0, moved, 1e-12,
            "p on S* alone, all t");
  }

  // --- stage III ---------------------------------------------------------------------------------

  /// One-hot attention on the parents' own heads, p on them alone.
  static Parameters sharp_start(const Model& m, const std::vector<Index>& parents, double a) {
    Parameters start = initial_parameters(m, {one_hot_logit, 0.0, 0.01, a});
    select(start, position(m, parents));
    return start;
  }

  void growth_start() {
    const Model m = model(0.0);
    const std::vector<Index> parents = {1, 2};
    const Kernels k = kernels(parents, 0.1, 300);
    const std::shared_ptr<const Objective> objective = make_infinite_objective(m, k);
    const double information = rank_lag_sets(k, m.window, m.degree).information_set().modified;
    const double duration = 1e-5 / information;
    const auto snapshots =
        fly(objective, sharp_start(m, parents, 0.0), {.a = true, .duration = duration}, 2, 0.0);
    compare("III", "speed of a at a = 0", information, snapshots.back().parameters.a / duration,
            1e-3,
            "the modified chi-square information of S*: one-hot attention, p on S*, epsilon = "
            "0, infinite context; mean speed up to a = 1e-5");
  }

  /// Trajectory of a beside the exact law, from a = 0 until the law says `highest`.
  std::vector<Snapshot> grow(const std::shared_ptr<const Objective>& objective,
                             const ContextLaws& laws, const std::vector<Index>& parents,
                             double highest, const std::string& setting) {
    const Model& m = objective->model();
    const double duration = sharpening_time(laws, 0.0, highest, m.epsilon);
    auto snapshots = fly(objective, sharp_start(m, parents, 0.0), {.a = true, .duration = duration},
                         200, 1e-3 / sharpening_rate(laws, 0.0, m.epsilon));
    Curve curve{"III", setting, "a", "1", "flow time", "1", {}, {}, {}};
    double time = 0.0, before = 0.0, worst = -1.0, predicted = 0, measured = 0;
    for (std::size_t i = 1; i < snapshots.size(); ++i) {
      const double a = snapshots[i].parameters.a;
      time += a > before ? sharpening_time(laws, before, a, m.epsilon)
                         : -sharpening_time(laws, a, before, m.epsilon);
      before = a;
      curve.x.push_back(a);
      curve.measured.push_back(snapshots[i].t);
      curve.predicted.push_back(time);
      if (const double off = std::abs(snapshots[i].t / time - 1.0); off > worst) {
        worst = off;
        predicted = time;
        measured = snapshots[i].t;
      }
    }
    compare("III", fmt::format("time to reach a, worst of all a, {}", setting), predicted, measured,
            0.005,
            fmt::format("the average (7.3) over chains and contexts, a from 0 to {}", highest));
    result_.curves.push_back(std::move(curve));
    return snapshots;
  }

  void growth(double alpha) {
    Model m = model(0.0);
    m.vocabulary = 2;
    m.window = m.heads = m.degree = 1;
    const Kernels k = lattice_kernels(alpha);
    const ContextLaws laws = context_laws(k, k.parents);
    const std::shared_ptr<const Objective> objective = make_infinite_objective(m, k);
    const std::string setting = fmt::format("epsilon 0, alpha {}", alpha);
    const auto snapshots = grow(objective, laws, k.parents, 13.0, setting);
    const Snapshot &first = nearest_a(snapshots, 10.0), &middle = nearest_a(snapshots, 11.5);
    compare("III", fmt::format("growth exponent, {}", setting), growth_exponent(alpha, 0.0, 0.0),
            growth_rate(first, middle, snapshots.back()), 0.03,
            fmt::format(
                "(7.3) for a from 10 to 13, on {} kernels at the quantiles of a lattice: late "
                "enough for the corrections of relative order e^(-a|1-alpha|), early enough for "
                "e^-a to stay above the smallest probabilities, where any finite set of kernels "
                "crosses over to exponent 2",
                lattice_points));
    if (alpha > 2.0)
      compare("III", fmt::format("constant of exponent 2, {}", setting), fast_growth_constant(laws),
              growth_constant(first, snapshots.back(), 2.0), 0.01,
              "kappa of (7.3), a from 10 to 13");
  }

  void slow_growth() {
    const Model m = model(0.01);
    const std::vector<Index> parents = {1, 2};
    const Kernels k = kernels(parents, 1.0, 200);
    const ContextLaws laws = context_laws(k, parents);
    const std::shared_ptr<const Objective> objective = make_infinite_objective(m, k);
    const std::string setting = "epsilon 0.01, alpha 1";
    const auto snapshots = grow(objective, laws, parents, 16.0, setting);
    const Snapshot &first = nearest_a(snapshots, 13.0), &middle = nearest_a(snapshots, 14.5);
    const std::string regime = "(7.3) for a from 13 to 16, any kernels, here 200";
    compare("III", fmt::format("growth exponent, {}", setting), growth_exponent(1.0, 0.0, 0.01),
            growth_rate(first, middle, snapshots.back()), 0.01, regime);
    compare("III", fmt::format("constant of exponent 1, {}", setting),
            slow_growth_constant(laws, 0.01), growth_constant(first, snapshots.back(), 1.0), 0.01,
            regime);
  }

  void plateau() {
    const Model m = model(0.01);
    const std::vector<Index> parents = {1, 2};
    SamplingOptions sampling;
    sampling.count = 1000;
    sampling.seed = options_.seed;
    sampling.purpose = Purpose::verify;
    const auto source = sample_prior(sampling);
    const std::shared_ptr<const Objective> objective = make_objective(m, *source);
    const Parameters start = sharp_start(m, parents, 0.01);
    const WindowSample sample(m, *source);
    const Plateau expected = gihflow::plateau(sample, start.p(), start.w);
    if (std::isnan(expected.a)) return;
    // Twenty times the relaxation time 1/𝓛''(a*).
    const double duration = 20.0 / expected.curvature;
    const auto snapshots = fly(objective, start, {.a = true, .duration = duration}, 200, 0.0);
    compare("III", "plateau of a, context of 100", expected.a, snapshots.back().parameters.a, 1e-3,
            fmt::format("root of the slope of the loss from window counts, one-hot attention, L = "
                        "100, 1,000 chains, at t = {:.2g}",
                        duration));
    Curve curve{"III", "a in a context of 100", "flow time", "1", "a", "1", {}, {}, {}};
    for (const Snapshot& s : snapshots) {
      if (s.t == 0.0) continue;
      curve.x.push_back(s.t);
      curve.measured.push_back(s.parameters.a);
      curve.predicted.push_back(expected.a);
    }
    result_.curves.push_back(std::move(curve));
  }

  void certificates() {
    compare("all", "drift of log C_D", 0.0, worst_drift_, 1e-6,
            "conserved by the flow (3.2), worst of all runs");
    compare("all", "energy law, residual / drop of the loss", 0.0, worst_residual_, 1e-4,
            "(3.5), worst of all recorded points where the loss has dropped by 1e-6");
    compare_sets("all", "every run reached its end", {}, {}, "");
    result_.rows.back().predicted_set = "reached";
    result_.rows.back().measured_set = ended_badly_.empty() ? "reached" : ended_badly_;
    result_.rows.back().passed = ended_badly_.empty();
  }

  VerifyOptions options_;
  Verification result_;
  double worst_drift_ = 0.0;
  double worst_residual_ = 0.0;
  std::string ended_badly_;
};

}  // namespace

bool Verification::passed() const {
  return !rows.empty() &&
         std::ranges::all_of(rows, [](const VerificationRow& row) { return row.passed; });
}

Verification verify(const VerifyOptions& options) {
  return Verifier(options).run();
}

}  // namespace gihflow
