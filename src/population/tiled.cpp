// The engine on sufficient statistics: block by block through the hot loops, blocks summed in
// order.

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>

#include "gihflow/base/errors.hpp"
#include "gihflow/base/parallel.hpp"
#include "population/engines.hpp"
#include "population/instruction_sets.hpp"
#include "population/model_tables.hpp"
#include "population/statistics.hpp"

namespace gihflow {

namespace {

/// Tiles that are evaluated one by one: those of a block of the parallel loop.
constexpr Index tiles_per_block = 8;

class TiledObjective final : public Objective {
 public:
  TiledObjective(const Model& model, const Statistics& counted, int lanes, const std::string& set)
      : functions_(hot_loops(set).blocks),
        model_(model),
        chains_(counted.chains),
        tables_(model),
        statistics_(model, counted, lanes) {}

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
    const Attention attention = tables_.attention(at, nullptr);
    const int lanes = statistics_.lanes();
    const Index d = model_.vocabulary;
    std::vector<std::pair<Index, Index>> slots;  // and their chains
    slots.reserve(chains.size());
    for (Index chain : chains) slots.emplace_back(statistics_.slot(chain), chain);
    std::sort(slots.begin(), slots.end());
    std::vector<std::size_t> tiles{0};  // where each tile's slots begin
    for (std::size_t i = 1; i <= slots.size(); ++i)
      if (i == slots.size() || slots[i].first / lanes != slots[i - 1].first / lanes)
        tiles.push_back(i);
    const Index tile_count = static_cast<Index>(tiles.size()) - 1;

    const hot::ModelView model = tables_.view();
    const hot::StatisticsView statistics = statistics_.view();
    const hot::PointView point = tables_.point(at, attention, nullptr);
    const Index size = tables_.sums(),
                blocks = (tile_count + tiles_per_block - 1) / tiles_per_block;
    std::vector<double> sums(static_cast<std::size_t>(blocks * size), 0.0);
    parallel_ranges(tile_count, tiles_per_block, [&](Index begin, Index end) {
      std::vector<double> partial(static_cast<std::size_t>(size));
      std::vector<double> targets(static_cast<std::size_t>(d * lanes));
      double* sum = sums.data() + begin / tiles_per_block * size;
      for (Index i = begin; i < end; ++i) {
        const auto first = tiles[static_cast<std::size_t>(i)],
                   last = tiles[static_cast<std::size_t>(i) + 1];
        const Index tile = slots[first].first / lanes;
        // Lanes of other chains go without a label: they add nothing.
        std::fill(targets.begin(), targets.end(), 0.0);
        for (std::size_t k = first; k < last; ++k)
          for (Index e = 0; e < d; ++e)
            targets[static_cast<std::size_t>(e * lanes + slots[k].first % lanes)] +=
                statistics_.targets_of(slots[k].second)[e];
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
    tables_.gradient(sums.data(), static_cast<double>(chains.size()), at, attention, nullptr, out,
                     nullptr, false);
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
    const Attention attention = tables_.attention(point, nullptr);
    const Index d = model_.vocabulary, subsets = model_.subsets(),
                logits = model_.heads * model_.window;
    const int lanes = statistics_.lanes();
    std::vector<double> rows(static_cast<std::size_t>(chains_ * (2 + subsets + logits)));
    const hot::ModelView model = tables_.view();
    const hot::StatisticsView statistics = statistics_.view();
    const hot::PointView view = tables_.point(point, attention, nullptr);
    parallel_ranges(chains_, tiles_per_block * lanes, [&](Index begin, Index end) {
      std::vector<double> partial(static_cast<std::size_t>(tables_.sums()));
      std::vector<double> targets(static_cast<std::size_t>(d * lanes));
      Gradient g;
      for (Index chain = begin; chain < end; ++chain) {
        const Index slot = statistics_.slot(chain), tile = slot / lanes;
        // All lanes but one without a label: they add nothing.
        std::fill(targets.begin(), targets.end(), 0.0);
        for (Index e = 0; e < d; ++e)
          targets[static_cast<std::size_t>(e * lanes + slot % lanes)] =
              statistics_.targets_of(chain)[e];
        hot::Segment segment{statistics_.group_of_tile(tile), tile, tile + 1};
        run({&model, &statistics, &view, &segment, 1, targets.data(), nullptr, partial.data(),
             true},
            false);
        tables_.gradient(partial.data(), 1.0, point, attention, nullptr, g, nullptr, true);
        write_row(at, g, rows.data() + chain * (2 + subsets + logits));
      }
    });
    return errors_of_rows(rows, chains_, subsets, logits);
  }

 private:
  /// Doubles that a workspace of segment.hpp takes at most (eight dual lanes).
  std::size_t scratch_doubles() const {
    const Index d = model_.vocabulary, H = model_.heads, S = model_.subsets();
    const Index sigmas = tables_.patterns() * H * model_.window, pairs = statistics_.most_pairs();
    const Index M = model_.window, packs = pairs / hot::pack;
    const Index readouts = std::max(d, hot::most_tile_tokens);
    const Index shared = S + 2 * sigmas + 1 + 2 * H * (d + 1) + 2 * H + 2 * pairs;
    const Index packed =
        1 + 3 * S + H * M + H * (d + 1) + packs * (2 * H + 1) + H + 2 * M + pairs + 3 * readouts;
    constexpr Index arrays = 28, line = 8;
    return static_cast<std::size_t>(2 * shared + 2 * hot::pack * packed + arrays * line);
  }

  void run(hot::BlockTask task, bool dual) const {
    int bytes = statistics_.count_bytes();
    task.scratch = scratch_of_thread(scratch_doubles());
    functions_.run[dual][statistics_.lanes() == 8][bytes == 1 ? 0 : bytes == 2 ? 1 : 2](task);
  }

  void evaluate(const Point& at, const Point* along, Gradient& out, Gradient* derivative,
                bool with_loss) const {
    const Attention attention = tables_.attention(at, along);
    const hot::ModelView model = tables_.view();
    const hot::StatisticsView statistics = statistics_.view();
    const hot::PointView point = tables_.point(at, attention, along);
    const Index size = tables_.sums() * (along ? 2 : 1), blocks = statistics_.blocks();
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
    tables_.gradient(partial.data(), static_cast<double>(chains_), at, attention, along, out,
                     derivative, with_loss);
  }

  const hot::BlockFunctions& functions_;
  Model model_;
  Index chains_;
  ModelTables tables_;
  TiledStatistics statistics_;
};

}  // namespace

std::unique_ptr<Objective> make_tiled_objective(const Model& model, const SequenceSource& source,
                                                int lanes, const std::string& set) {
  return make_tiled_objective(model, count_windows(model, source), lanes, set);
}

std::unique_ptr<Objective> make_tiled_objective(const Model& model, const Statistics& counted,
                                                int lanes, const std::string& set) {
  return std::make_unique<TiledObjective>(model, counted, lanes, set);
}

}  // namespace gihflow
