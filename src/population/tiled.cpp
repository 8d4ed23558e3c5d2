// The engine on sufficient statistics: block by block through the hot loops, blocks summed in order.

#include <algorithm>
#include <bit>
#include <cmath>
#include <limits>
#include <numeric>

#include "gihflow/base/errors.hpp"
#include "gihflow/base/parallel.hpp"
#include "gihflow/base/version.hpp"
#include "gihflow/information/subsets.hpp"
#include "population/engines.hpp"
#include "population/statistics.hpp"

namespace gihflow {

namespace baseline {
extern const hot::BlockFunctions block_functions;
}
#ifdef GIHFLOW_ISA_X86
namespace avx2 {
extern const hot::BlockFunctions block_functions;
}
namespace avx512 {
extern const hot::BlockFunctions block_functions;
}
#endif

namespace {

const hot::BlockFunctions& block_functions([[maybe_unused]] const std::string& set) {
#ifdef GIHFLOW_ISA_X86
  if (set == "avx512") return avx512::block_functions;
  if (set == "avx2") return avx2::block_functions;
#endif
  return baseline::block_functions;
}

/// Room for the workspace of a block, reused by its thread. 64-byte aligned.
double* scratch_of_thread(std::size_t doubles) {
  struct alignas(64) Line {
    double number[8];
  };
  static thread_local std::vector<Line> lines;
  std::size_t needed = doubles / 8 + 1;
  if (lines.size() < needed) lines.resize(needed);
  return lines.front().number;
}

/// Tiles that are evaluated one by one: those of a block of the parallel loop.
constexpr Index tiles_per_block = 8;

class TiledObjective final : public Objective {
 public:
  TiledObjective(const Model& model, const SequenceSource& source, int lanes,
                 const std::string& set)
      : functions_(block_functions(set)),
        model_(model),
        chains_(source.count()),
        masks_(subsets(model.heads, model.degree)),
        statistics_(model, count_windows(model, source), lanes) {
    for (std::uint32_t mask : masks_) {
      if (mask == 0) {
        parent_.push_back(-1);
        last_.push_back(-1);
        continue;
      }
      std::int32_t head = 31 - std::countl_zero(mask);
      auto rest = std::find(masks_.begin(), masks_.end(), mask & ~(1u << head));
      parent_.push_back(static_cast<std::int32_t>(rest - masks_.begin()));
      last_.push_back(head);
    }
    for (Index h = 0; h < model.heads; ++h) first_lag_.push_back(model.lag(h, 0) - 1);
    patterns_ = model.boundary == Boundary::partial ? model.widest() + 1 : 1;
  }

  const Model& model() const override { return model_; }
  Index chains() const override { return chains_; }
  std::string engine() const override { return statistics_.lanes() == 8 ? "dense" : "sparse"; }
  std::size_t memory() const override { return statistics_.memory(); }

  double loss(const Point& at) const override {
    Gradient out;
    gradient(at, out, true);
    return out.loss;
  }

  void gradient(const Point& at, Gradient& out, bool with_loss) const override {
    evaluate(at, nullptr, out, nullptr, with_loss);
  }

  void batch_gradient(std::span<const Index> chains, const Point& at,
                      Gradient& out) const override {
    const Attention attention = attention_at(at, nullptr);
    const int lanes = statistics_.lanes();
    const Index d = model_.vocabulary;
    std::vector<Index> slots;
    slots.reserve(chains.size());
    for (Index chain : chains) slots.push_back(statistics_.slot(chain));
    std::sort(slots.begin(), slots.end());
    std::vector<std::size_t> tiles{0};  // where each tile's slots begin
    for (std::size_t i = 1; i <= slots.size(); ++i)
      if (i == slots.size() || slots[i] / lanes != slots[i - 1] / lanes) tiles.push_back(i);
    const Index tile_count = static_cast<Index>(tiles.size()) - 1;

    const hot::ModelView model = model_view();
    const hot::StatisticsView statistics = statistics_.view();
    const hot::PointView point = point_view(at, attention, nullptr);
    const Index size = partial_size(),
                blocks = (tile_count + tiles_per_block - 1) / tiles_per_block;
    std::vector<double> sums(static_cast<std::size_t>(blocks * size), 0.0);
    parallel_ranges(tile_count, tiles_per_block, [&](Index begin, Index end) {
      std::vector<double> partial(static_cast<std::size_t>(size));
      std::vector<double> targets(static_cast<std::size_t>(d * lanes));
      double* sum = sums.data() + begin / tiles_per_block * size;
      for (Index i = begin; i < end; ++i) {
        const auto first = tiles[static_cast<std::size_t>(i)],
                   last = tiles[static_cast<std::size_t>(i) + 1];
        const Index tile = slots[first] / lanes;
        // Lanes of other chains go without a label: they add nothing.
        std::fill(targets.begin(), targets.end(), 0.0);
        for (std::size_t k = first; k < last; ++k)
          for (Index e = 0; e < d; ++e) {
            const auto at_lane = static_cast<std::size_t>(e * lanes + slots[k] % lanes);
            targets[at_lane] = statistics_.targets(tile)[at_lane];
          }
        hot::Segment segment{statistics_.group_of_tile(tile), tile, tile + 1};
        run({&model, &statistics, &point, &segment, 1, targets.data(), nullptr, partial.data(),
             false},
            false);
        for (Index j = 0; j < size; ++j) sum[j] += partial[static_cast<std::size_t>(j)];
      }
    });
    for (Index block = 1; block < blocks; ++block)
      for (Index i = 0; i < size; ++i)
        sums[static_cast<std::size_t>(i)] += sums[static_cast<std::size_t>(block * size + i)];
    reduce(sums.data(), static_cast<double>(chains.size()), at, attention, nullptr, out, nullptr,
           false);
  }

  void gradient_along(const Point& at, const Point& along, Gradient& out,
                      Gradient& derivative) const override {
    evaluate(at, &along, out, &derivative, true);
    auto dot = [](const std::vector<double>& x, const std::vector<double>& y) {
      return std::inner_product(x.begin(), x.end(), y.begin(), 0.0);
    };
    derivative.loss = dot(out.p, along.p) + dot(out.w, along.w) + out.a * along.a;
  }

  StandardErrors standard_errors(const Parameters& at) const override {
    const Point point = point_of(at);
    const Attention attention = attention_at(point, nullptr);
    const Index d = model_.vocabulary, subsets = model_.subsets(),
                logits = model_.heads * model_.window;
    const int lanes = statistics_.lanes();
    std::vector<double> rows(static_cast<std::size_t>(chains_ * (2 + subsets + logits)));
    const hot::ModelView model = model_view();
    const hot::StatisticsView statistics = statistics_.view();
    const hot::PointView view = point_view(point, attention, nullptr);
    parallel_ranges(statistics_.tiles(), tiles_per_block, [&](Index begin, Index end) {
      std::vector<double> partial(static_cast<std::size_t>(partial_size()));
      std::vector<double> targets(static_cast<std::size_t>(d * lanes));
      Gradient g;
      for (Index tile = begin; tile < end; ++tile)
        for (int lane = 0; lane < lanes; ++lane) {
          Index chain = statistics_.chain(tile, lane);
          if (chain < 0) continue;
          // All lanes but one without a label: they add nothing.
          std::fill(targets.begin(), targets.end(), 0.0);
          for (Index e = 0; e < d; ++e) {
            auto at_lane = static_cast<std::size_t>(e * lanes + lane);
            targets[at_lane] = statistics_.targets(tile)[at_lane];
          }
          hot::Segment segment{statistics_.group_of_tile(tile), tile, tile + 1};
          run({&model, &statistics, &view, &segment, 1, targets.data(), nullptr, partial.data(),
               true},
              false);
          reduce(partial.data(), 1.0, point, attention, nullptr, g, nullptr, true);
          double* row = rows.data() + chain * (2 + subsets + logits);
          std::vector<double> c = c_gradient(at, g);
          row[0] = g.loss;
          std::copy(c.begin(), c.end(), row + 1);
          std::copy(g.w.begin(), g.w.end(), row + 1 + subsets);
          row[1 + subsets + logits] = g.a;
        }
    });
    return errors_of_rows(rows, chains_, subsets, logits);
  }

 private:
  /// σ of every window pattern, [patterns, H, M], formula (4.4), and its derivative.
  struct Attention {
    std::vector<double> sigma, along;
  };

  /// How many of the lags of head h exist in windows of a pattern. Lags grow with the component, so
  /// those that exist come first.
  Index existing_lags(Index pattern, Index h) const {
    if (patterns_ == 1) return model_.window;
    return std::clamp(pattern - first_lag_[static_cast<std::size_t>(h)], Index{0}, model_.window);
  }

  Attention attention_at(const Point& at, const Point* along) const {
    const Index H = model_.heads, M = model_.window;
    Attention out;
    out.sigma.assign(static_cast<std::size_t>(patterns_ * H * M), 0.0);
    if (along) out.along = out.sigma;
    for (Index pattern = 0; pattern < patterns_; ++pattern)
      for (Index h = 0; h < H; ++h) {
        const Index existing = existing_lags(pattern, h);
        if (existing == 0) continue;
        double* sigma = out.sigma.data() + (pattern * H + h) * M;
        auto row = softmax(std::span(at.w).subspan(static_cast<std::size_t>(h * M),
                                                   static_cast<std::size_t>(existing)));
        std::copy(row.begin(), row.end(), sigma);
        if (!along) continue;
        const double* direction = along->w.data() + h * M;
        double mean = std::inner_product(sigma, sigma + existing, direction, 0.0);
        for (Index i = 0; i < existing; ++i)
          out.along[static_cast<std::size_t>((pattern * H + h) * M + i)] =
              sigma[i] * (direction[i] - mean);
      }
    return out;
  }

  hot::ModelView model_view() const {
    return {model_.vocabulary,
            model_.widest(),
            model_.heads,
            model_.window,
            model_.subsets(),
            masks_.data(),
            parent_.data(),
            last_.data(),
            first_lag_.data(),
            patterns_,
            model_.head_normalization == HeadNormalization::l2,
            model_.readout == Readout::softmax,
            model_.epsilon};
  }

  static hot::PointView point_view(const Point& at, const Attention& attention,
                                   const Point* along) {
    return {at.p.data(),
            attention.sigma.data(),
            at.a,
            along ? along->p.data() : nullptr,
            along ? attention.along.data() : nullptr,
            along ? along->a : 0.0};
  }

  Index partial_size() const {
    return hot::partial_p + model_.subsets() + patterns_ * model_.heads * model_.window;
  }

  /// Doubles that a workspace of segment.hpp takes at most (eight dual lanes).
  std::size_t scratch_doubles() const {
    const Index d = model_.vocabulary, H = model_.heads, S = model_.subsets();
    const Index sigmas = patterns_ * H * model_.window, pairs = statistics_.most_pairs();
    const Index M = model_.window, packs = pairs / hot::pack;
    const Index shared = S + 2 * sigmas + 1 + 3 * H * (d + 1) + 2 * H + 2 * pairs;
    const Index packed = 1 + 3 * S + H * M + packs * (2 * H + 1) + H + 2 * M + pairs + 2 * d;
    constexpr Index arrays = 27, line = 8;
    return static_cast<std::size_t>(2 * shared + 2 * hot::pack * packed + arrays * line);
  }

  void run(hot::BlockTask task, bool dual) const {
    int bytes = statistics_.count_bytes();
    task.scratch = scratch_of_thread(scratch_doubles());
    functions_.run[dual][statistics_.lanes() == 8][bytes == 1 ? 0 : bytes == 2 ? 1 : 2](task);
  }

  void evaluate(const Point& at, const Point* along, Gradient& out, Gradient* derivative,
                bool with_loss) const {
    const Attention attention = attention_at(at, along);
    const hot::ModelView model = model_view();
    const hot::StatisticsView statistics = statistics_.view();
    const hot::PointView point = point_view(at, attention, along);
    const Index size = partial_size() * (along ? 2 : 1), blocks = statistics_.blocks();
    std::vector<double> partial(static_cast<std::size_t>(blocks * size));
    parallel_blocks(blocks, [&](Index block) {
      run({&model, &statistics, &point, statistics_.segments_of(block),
           statistics_.segment_count(block), nullptr, nullptr, partial.data() + block * size,
           with_loss},
          along != nullptr);
    });
    for (Index block = 1; block < blocks; ++block)
      for (Index i = 0; i < size; ++i)
        partial[static_cast<std::size_t>(i)] += partial[static_cast<std::size_t>(block * size + i)];
    reduce(partial.data(), static_cast<double>(chains_), at, attention, along, out, derivative,
           with_loss);
  }

  /// From sums over chains to the mean gradient: (4.3) for p and a, and each pattern's softmax
  /// Jacobian for w.
  void reduce(const double* partial, double chains, const Point& at, const Attention& attention,
              const Point* along, Gradient& out, Gradient* derivative, bool with_loss) const {
    const Index S = model_.subsets(), H = model_.heads, M = model_.window;
    const double* sums = partial + hot::partial_p;
    const double* sigma_sums = sums + S;
    const double* dual = partial + partial_size();
    const double* dual_sums = dual + hot::partial_p;
    out.loss =
        with_loss ? partial[hot::partial_loss] / chains : std::numeric_limits<double>::quiet_NaN();
    out.a = partial[hot::partial_a] / chains;
    out.p.resize(static_cast<std::size_t>(S));
    for (Index i = 0; i < S; ++i) out.p[static_cast<std::size_t>(i)] = at.a * sums[i] / chains;
    out.w.assign(static_cast<std::size_t>(H * M), 0.0);
    out.attention = out.w;
    if (along) {
      derivative->a = dual[hot::partial_a] / chains;
      derivative->p.resize(static_cast<std::size_t>(S));
      for (Index i = 0; i < S; ++i)
        derivative->p[static_cast<std::size_t>(i)] =
            (at.a * dual_sums[i] + along->a * sums[i]) / chains;
      derivative->w.assign(static_cast<std::size_t>(H * M), 0.0);
      derivative->attention = derivative->w;
    }
    for (Index row = 0; row < patterns_ * H; ++row) {
      const double* sigma = attention.sigma.data() + row * M;
      const double* s = sigma_sums + row * M;
      Index h = row % H;
      double mean = std::inner_product(sigma, sigma + M, s, 0.0);
      for (Index i = 0; i < M; ++i)
        out.w[static_cast<std::size_t>(h * M + i)] += sigma[i] * (s[i] - mean) / chains;
      // The pattern's σ is the full window's, divided by the share of the lags that exist.
      const Index full = ((patterns_ - 1) * H + h) * M, existing = existing_lags(row / H, h);
      const double share = existing == M
                               ? 1.0
                               : std::accumulate(attention.sigma.data() + full,
                                                 attention.sigma.data() + full + existing, 0.0);
      if (share > 0.0)
        for (Index i = 0; i < existing; ++i)
          out.attention[static_cast<std::size_t>(h * M + i)] += (s[i] - mean) / share / chains;
      if (!along) continue;
      const double* tangent = attention.along.data() + row * M;
      const double* ds = dual_sums + S + row * M;
      double mean_tangent = std::inner_product(sigma, sigma + M, ds, 0.0) +
                            std::inner_product(tangent, tangent + M, s, 0.0);
      for (Index i = 0; i < M; ++i)
        derivative->w[static_cast<std::size_t>(h * M + i)] +=
            (tangent[i] * (s[i] - mean) + sigma[i] * (ds[i] - mean_tangent)) / chains;
      const double growth = existing == M
                                ? 0.0
                                : std::accumulate(attention.along.data() + full,
                                                  attention.along.data() + full + existing, 0.0) /
                                      share;
      if (share > 0.0)
        for (Index i = 0; i < existing; ++i)
          derivative->attention[static_cast<std::size_t>(h * M + i)] +=
              (ds[i] - mean_tangent - (s[i] - mean) * growth) / share / chains;
    }
  }

  const hot::BlockFunctions& functions_;
  Model model_;
  Index chains_;
  std::vector<std::uint32_t> masks_;
  std::vector<std::int32_t> parent_, last_;
  std::vector<std::int64_t> first_lag_;
  Index patterns_ = 1;
  TiledStatistics statistics_;
};

}  // namespace

std::unique_ptr<Objective> make_tiled_objective(const Model& model, const SequenceSource& source,
                                                int lanes, const std::string& set) {
  return std::make_unique<TiledObjective>(model, source, lanes, set);
}

}  // namespace gihflow
