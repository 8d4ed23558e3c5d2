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
#include "population/tiled_statistics.hpp"

namespace gihflow {

namespace {

/// Tiles that are evaluated one by one: those of a block of the parallel loop.
constexpr Index tiles_per_block = 8;

class TiledObjective final : public Objective {
 public:
  template <class Counted>
  TiledObjective(const Model& model, Counted&& counted, int lanes, const std::string& set)
      : functions_(hot_loops(set).blocks),
        model_(model),
        chains_(counted.chains),
        tables_(model),
        statistics_(model, std::forward<Counted>(counted), lanes) {}

  const Model& model() const override { return model_; }
  Index chains() const override { return chains_; }
  std::string engine() const override { return statistics_.lanes() == 8 ? "dense" : "sparse"; }
  std::size_t memory() const override { return statistics_.memory(); }

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
    derivative.loss = slope_along(out, along);
  }

  StandardErrors standard_errors(const Parameters& at) const override {
    const Point point = point_of(at);
    const Attention attention = tables_.attention(point, nullptr);
    const Index d = model_.vocabulary;
    const int lanes = statistics_.lanes();
    std::vector<double> rows(static_cast<std::size_t>(chains_ * row_size(model_)));
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
        write_row(at, g, rows.data() + chain * row_size(model_));
      }
    });
    return errors_of_rows(rows, model_);
  }

 private:
  void run(hot::BlockTask task, bool dual) const {
    const int bytes = statistics_.count_bytes();
    const bool dense = statistics_.lanes() == 8;
    task.scratch = scratch_of_thread(static_cast<std::size_t>(
        functions_.scratch[dual][dense](*task.model, statistics_.most_pairs())));
    functions_.run[dual][dense][bytes == 1 ? 0 : bytes == 2 ? 1 : 2](task);
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

MemoryBound tiled_memory(const Model& model, Index chains, Index length, int lanes) {
  MemoryBound bound = statistics_memory(model, chains, length, lanes);
  const ModelTables tables(model);
  const double n = static_cast<double>(chains), pairs = n * static_cast<double>(length) + hot::pack,
               windows = std::pow(static_cast<double>(model.vocabulary) + 1.0,
                                  static_cast<double>(model.widest()));
  const auto most_pairs = static_cast<Index>(std::min({windows + hot::pack, pairs, 0x1p40}));
  const auto scratch = hot_loops("").blocks.scratch[1][1](tables.view(), most_pairs);
  // Sums of blocks, of an evaluation or of a minibatch; or the rows of standard errors.
  const double sums = 16.0 * static_cast<double>(tables.sums()),
               rows = 8.0 * n * (static_cast<double>(row_size(model)) + 1.0);
  bound.peak = std::max(bound.peak, bound.kept + std::max(rows, sums * n / tiles_per_block)) +
               512.0 * sums + threads() * 8.0 * static_cast<double>(scratch);
  return bound;
}

std::unique_ptr<Objective> make_tiled_objective(const Model& model, const SequenceSource& source,
                                                int lanes, const std::string& set) {
  return std::make_unique<TiledObjective>(model, count_windows(model, source), lanes, set);
}

std::unique_ptr<Objective> make_tiled_objective(const Model& model, const Statistics& counted,
                                                int lanes, const std::string& set) {
  return std::make_unique<TiledObjective>(model, counted, lanes, set);
}

}  // namespace gihflow
