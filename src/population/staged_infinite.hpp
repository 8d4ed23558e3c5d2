#pragma once

// The objective in infinite context, formula (5.1), by stages: those of stages.hpp, those below,
// and two products of the laws J [chains·d, windows] with matrices of queries as columns.
//
// Products computes them for row-major matrices: apply() gives J·x for x [windows, columns],
// apply_transposed() Jᵀ·x for x [chains·d, columns].

#include <cmath>
#include <memory>
#include <mutex>

#include "gihflow/base/errors.hpp"
#include "gihflow/population/infinite.hpp"
#include "population/engines.hpp"
#include "population/model_tables.hpp"
#include "population/staged_point.hpp"
#include "population/stages.hpp"
#include "population/window_laws.hpp"

namespace gihflow::GIHFLOW_ISA {

inline constexpr Index readout_teams = 2048;    // of Readouts, about
inline constexpr Index widest_vocabulary = 64;  // for which a thread has memory

/// Block: `per_block` (chain, query). From Σ_Z μ(Z,e) E(Z,q) in `readouts` [N, d, queries] to the
/// loss, with T(e|q)·μ(q) = μ(q, e) as the label, and to g(e), which replaces the sums.
template <class N>
struct Readouts {
  ModelView m;
  const double* law;  ///< [N, d, windows]
  std::int64_t windows, count, per_block;
  typename N::S* readouts;
  typename N::S* loss;  ///< [blocks]
  bool with_loss;

  template <class Team>
  GIHFLOW_HD void operator()(Team& team, std::int64_t block) const {
    using S = typename N::S;
    S y[widest_vocabulary], g[widest_vocabulary], sum, one;
    set(sum, 0.0);
    set(one, 1.0);
    const std::int64_t end = block * per_block + per_block;
    for (std::int64_t i = block * per_block + team.index(); i < end && i < count;
         i += team.size()) {
      const std::int64_t at = i / windows * m.d * windows + i % windows;
      S den;
      set(den, 0.0);
      for (std::int64_t e = 0; e < m.d; ++e) den = den + readouts[at + e * windows];
      for (std::int64_t e = 0; e < m.d; ++e) y[e] = readouts[at + e * windows] / den;
      sum = sum + sum_lanes(losses_of_lanes<N>(m, y, g, one / den, law + at, windows, with_loss));
      for (std::int64_t e = 0; e < m.d; ++e) readouts[at + e * windows] = g[e];
    }
    sum = team.sum(sum);
    if (team.index() == 0) loss[block] = sum;
  }
};

/// Item: (chain, query). Σ_Z μ(Z,e) E(Z,q) where a·k spreads widely: the exponents of every chain
/// and query are shifted by their largest, which is kept in `top`.
template <class S>
struct ShiftedSums {
  std::int64_t d, windows;
  const double* law;
  const S* x;  ///< a·k [windows, queries]
  S* readouts;
  double* top;  ///< [N, queries]

  GIHFLOW_HD void operator()(std::int64_t i) const {
    const std::int64_t chain = i / windows, q = i % windows;
    const double* of_chain = law + chain * d * windows;
    double highest = -HUGE_VAL;
    for (std::int64_t z = 0; z < windows; ++z) {
      const double height = value(x[z * windows + q]);
      if (height <= highest) continue;
      double mass = 0.0;
      for (std::int64_t e = 0; e < d; ++e) mass += of_chain[e * windows + z];
      if (mass > 0.0) highest = height;
    }
    top[i] = highest;
    for (std::int64_t e = 0; e < d; ++e) {
      S sum;
      set(sum, 0.0);
      for (std::int64_t z = 0; z < windows; ++z) {
        const double share = of_chain[e * windows + z];
        if (share > 0.0) sum = sum + share * exponential(x[z * windows + q] - highest);
      }
      readouts[(chain * d + e) * windows + q] = sum;
    }
  }
};

/// Item: a pair (Z,q). Σ μ(Z,e) E(Z,q) g(e) over chains and tokens, with the shifts of ShiftedSums.
template <class S>
struct ShiftedBackward {
  std::int64_t d, windows, chains;
  const double* law;
  const S *x, *readouts;
  const double* top;
  S* partial;

  GIHFLOW_HD void operator()(std::int64_t j) const {
    const std::int64_t z = j / windows, q = j % windows;
    S sum;
    set(sum, 0.0);
    for (std::int64_t chain = 0; chain < chains; ++chain) {
      S slope;
      set(slope, 0.0);
      double mass = 0.0;
      for (std::int64_t e = 0; e < d; ++e) {
        const double share = law[(chain * d + e) * windows + z];
        mass += share;
        slope = slope + share * readouts[(chain * d + e) * windows + q];
      }
      if (mass > 0.0) sum = sum + slope * exponential(x[j] - top[chain * windows + q]);
    }
    partial[j] = sum;
  }
};

/// The chains of a part, see StagedParts.
template <class Place, class Products>
class StagedKernels {
 public:
  StagedKernels(const Model& model, const Kernels& kernels)
      : model_(without_boundary(model)),
        tables_(model_),
        kernels_(kernels),
        point_(model_, tables_),
        products_(place_),
        out_(2 * size_t(tables_.sums())) {
    require_card(model);
    if (model.vocabulary > widest_vocabulary)
      throw InputError(Fault{Field::vocabulary, std::to_string(model.vocabulary),
                             Phrase("must be at most " + std::to_string(widest_vocabulary) +
                                        " in infinite context on a card; use ",
                                    Field::device, " cpu"),
                             ""});
    const WindowLaws laws = window_laws(model, kernels);
    const std::vector<double> law = laws.joint();
    windows_ = laws.windows;
    law_ = Vector<double>(law.begin(), law.end());
    lay_out(laws.window);
  }

  const Model& model() const { return model_; }
  std::string engine() const { return "infinite"; }
  std::size_t memory() const {
    return sizeof(double) * (law_.size() + readouts_.size() + loss_.size() + top_.size() +
                             t_.size() + x_.size() + e_.size() + partial_.size() + sums_.size());
  }

  /// Loss and gradient summed over all chains and divided by `count`; with a derivative where
  /// `along` is given.
  void gradient(const Point& at, const Point* along, double count, bool with_loss, Gradient& out,
                Gradient& derivative) const {
    if (along == nullptr)
      evaluate<double>(at, nullptr, count, out, nullptr, with_loss);
    else
      evaluate<Dual<double>>(at, along, count, out, &derivative, with_loss);
  }
  /// By the CPU engine: they are asked for once a run.
  std::vector<Moments> moments(const Parameters& at) const {
    return make_host_infinite_objective(model_, kernels_)->moments(at);
  }

 private:
  Index chains() const { return kernels_.count; }
  template <class T>
  using Vector = typename Place::template Vector<T>;
  template <class V>
  static auto* raw(V& v) {
    return Place::raw(v);
  }
  /// Partial windows do not exist in infinite context.
  static Model without_boundary(Model model) {
    model.boundary = Boundary::masked;
    return model;
  }
  static std::size_t size_t(Index n) { return static_cast<std::size_t>(n); }

  hot::ModelView model_on_place() const {
    hot::ModelView m = tables_.view();
    m.masks = raw(masks_);
    m.first_lag = raw(first_lag_);
    m.parent = m.last = nullptr;
    m.patterns = 1;  // there are no partial windows
    return m;
  }

  void lay_out(const std::vector<std::uint64_t>& windows) {
    const Index W = model_.widest(), d = model_.vocabulary, H = model_.heads;
    const Index pairs = windows_ * windows_;
    pairs_ = (pairs + hot::pack - 1) / hot::pack * hot::pack;
    std::vector<std::uint16_t> query(size_t(windows_ * W)), digits(size_t(pairs_ * W), 0);
    for (Index z = 0; z < windows_; ++z) {
      Index rest = static_cast<Index>(windows[size_t(z)]);
      for (Index lag = W; lag-- > 0; rest /= d)
        query[size_t(z * W + lag)] = static_cast<std::uint16_t>(rest % d);
    }
    std::vector<std::uint32_t> group(size_t(pairs_), 0);
    std::vector<std::int64_t> slot(size_t(pairs_), 0);
    std::vector<std::int32_t> count(size_t(pairs_), 0), one(size_t(pairs_), 1);
    for (Index j = 0; j < pairs; ++j) {
      const Index z = j / windows_;
      for (Index lag = 0; lag < W; ++lag)
        digits[size_t((j / hot::pack * W + lag) * hot::pack + j % hot::pack)] =
            query[size_t(z * W + lag)];
      group[size_t(j)] = static_cast<std::uint32_t>(j % windows_);
      slot[size_t(j)] = j;
      count[size_t(j)] = 1;
    }
    auto keep = [](auto& to, const auto& from) {
      to = std::decay_t<decltype(to)>(from.begin(), from.end());
    };
    keep(query_digits_, query);
    keep(pair_digits_, digits);
    keep(group_, group);
    keep(slot_, slot);
    keep(slot_count_, count);
    keep(slot_stride_, one);
    keep(masks_, tables_.masks());
    keep(first_lag_, tables_.first_lags());
    t_.resize(2 * size_t(pairs_ * H));
    x_.resize(2 * size_t(pairs_));
    e_.resize(2 * size_t(pairs_));
    partial_.resize(2 * size_t(pairs_));
    readouts_.resize(2 * size_t(chains() * d * windows_));
    top_.resize(size_t(chains() * windows_));
    per_readout_block_ =
        std::max(Index{threads_of_team}, (chains() * windows_ + readout_teams - 1) / readout_teams);
    readout_blocks_ = (chains() * windows_ + per_readout_block_ - 1) / per_readout_block_;
    loss_.resize(2 * size_t(readout_blocks_));
    pair_teams_ = PairTeams::of(place_, model_, pairs_, tables_.sums());
    sums_.resize(2 * size_t(pair_teams_.blocks * tables_.sums()));
    result_.resize(2 * size_t(tables_.sums()));
    on_place_.resize(point_.doubles());
    place_.settle();
  }

  /// All stages, from the point in on_place_ to the sums in result_.
  template <class S>
  void stages(bool shifted, bool with_loss) const {
    using N = Types<S, double, S, S, 1>;
    constexpr Index numbers = static_cast<Index>(sizeof(S) / sizeof(double));
    const hot::ModelView m = model_on_place();
    hot::StatisticsView v{};
    v.query_digits = raw(query_digits_);
    v.pair_digits = raw(pair_digits_);
    const PointOnCard<S> point{reinterpret_cast<const S*>(raw(on_place_))};
    const PairsOnCard<S> pairs{raw(group_),
                               raw(slot_),
                               raw(slot_count_),
                               raw(slot_stride_),
                               pairs_,
                               reinterpret_cast<S*>(raw(t_)),
                               reinterpret_cast<S*>(raw(x_)),
                               reinterpret_cast<S*>(raw(e_)),
                               reinterpret_cast<S*>(raw(partial_))};
    S* readouts = reinterpret_cast<S*>(raw(readouts_));
    S* loss = reinterpret_cast<S*>(raw(loss_));
    const Index d = model_.vocabulary, rows = chains() * d, columns = numbers * windows_;
    place_.items(pairs_, PairForward<S>{m, v, point, pairs});
    if (shifted)
      place_.items(chains() * windows_,
                   ShiftedSums<S>{d, windows_, raw(law_), pairs.x, readouts, raw(top_)});
    else
      products_.apply(raw(law_), rows, windows_, raw(e_), columns, raw(readouts_));
    place_.teams(readout_blocks_, Index{threads_of_team}, 0,
                 Readouts<N>{m, raw(law_), windows_, chains() * windows_, per_readout_block_,
                             readouts, loss, with_loss});
    if (shifted)
      place_.items(windows_ * windows_,
                   ShiftedBackward<S>{d, windows_, chains(), raw(law_), pairs.x, readouts,
                                      raw(top_), pairs.partial});
    else
      products_.apply_transposed(raw(law_), rows, windows_, raw(readouts_), columns, raw(partial_));
    const Index half = tables_.sums(), size = numbers * half;
    place_.teams(pair_teams_.blocks, pair_teams_.threads,
                 PairBackward<S>::memory(size, pair_teams_.threads),
                 PairBackward<S>{m, v, point, pairs, pair_teams_.per_block, size, half, raw(sums_),
                                 shifted});
    place_.teams(size, Index{threads_of_team}, 0,
                 SumBlocks<S>{size, half, pair_teams_.blocks, readout_blocks_, raw(sums_), loss,
                              raw(result_)});
  }

  template <class S>
  void evaluate(const Point& at, const Point* along, double count, Gradient& out,
                Gradient* derivative, bool with_loss) const {
    constexpr Index numbers = static_cast<Index>(sizeof(S) / sizeof(double));
    require_arrays(model_, at);
    if (along) require_arrays(model_, *along);
    const std::lock_guard guard(mutex_);
    const Attention attention = tables_.attention(at, along);
    const void* from = point_.template write<S>(at, attention, along);
    const bool shifted = needs_shifts(largest_height(at));
    place_.replay(recordings_[numbers - 1][shifted][with_loss], [&] {
      place_.upload(raw(on_place_), from, point_.template bytes<S>());
      stages<S>(shifted, with_loss);
      place_.download(out_.data(), raw(result_), sizeof(double) * size_t(numbers * tables_.sums()));
    });
    place_.wait();
    tables_.gradient(out_.data(), count, at, attention, along, out, derivative, with_loss);
  }

  Model model_;
  ModelTables tables_;
  Kernels kernels_;
  mutable StagedPoint<Place> point_;
  Place place_;
  Products products_;
  Index windows_ = 0, pairs_ = 0;
  PairTeams pair_teams_;
  Index per_readout_block_ = 0, readout_blocks_ = 0;
  mutable std::mutex mutex_;
  mutable typename Place::HostMemory out_;
  mutable typename Place::Recording recordings_[2][2][2];  // dual, shifted, with loss
  mutable Vector<double> law_, t_, x_, e_, partial_, readouts_, top_, loss_, sums_, result_,
      on_place_;
  mutable Vector<std::uint16_t> query_digits_, pair_digits_;
  mutable Vector<std::uint32_t> group_, masks_;
  mutable Vector<std::int64_t> slot_, first_lag_;
  mutable Vector<std::int32_t> slot_count_, slot_stride_;
};

}  // namespace gihflow::GIHFLOW_ISA
