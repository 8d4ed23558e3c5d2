// The engine on sufficient statistics: block by block through the hot loops, blocks summed in
// order.

#include <algorithm>
#include <cmath>
#include <limits>
#include <memory>
#include <numeric>
#include <optional>

#include "gihflow/base/errors.hpp"
#include "gihflow/base/parallel.hpp"
#include "population/engines.hpp"
#include "population/features.hpp"
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
      : functions_(hot_loops(set)),
        model_(model),
        chains_(counted.chains / counted.prefixes),
        prefixes_(counted.prefixes),
        tables_(model, has_relative_features(model)),
        statistics_(model, std::forward<Counted>(counted), lanes) {
    if (!has_relative_features(model))
      features_.emplace(model, statistics_.table_keys(), statistics_.queries(), set);
  }

  const Model& model() const override { return model_; }
  Index chains() const override { return chains_; }
  std::string engine() const override { return statistics_.lanes() == 8 ? "dense" : "sparse"; }
  std::size_t memory() const override {
    return statistics_.memory() + (features_ ? features_->memory() : 0);
  }

  void gradient(const Point& at, Gradient& out, bool with_loss) const override {
    evaluate(at, nullptr, out, nullptr, with_loss);
  }

  void batch_gradient(std::span<const Index> chains, const Point& at,
                      Gradient& out) const override {
    const int lanes = statistics_.lanes();
    if (features_) {  // one pass over all pairs, in which the other chains have no label
      const Index d = model_.vocabulary;
      std::vector<double> targets(static_cast<std::size_t>(statistics_.tiles() * d * lanes));
      for_prefixes(chains, [&](Index prefix) {
        statistics_.add_targets(prefix,
                                targets.data() + statistics_.slot(prefix) / lanes * d * lanes);
      });
      evaluate(at, nullptr, out, nullptr, false, targets.data(), static_cast<Index>(chains.size()));
      return;
    }
    std::vector<std::pair<Index, Index>> slots;  // and their prefixes
    slots.reserve(chains.size() * static_cast<std::size_t>(prefixes_));
    for_prefixes(chains,
                 [&](Index prefix) { slots.emplace_back(statistics_.slot(prefix), prefix); });
    std::sort(slots.begin(), slots.end());
    std::vector<std::size_t> tiles{0};  // where each tile's slots begin
    for (std::size_t i = 1; i <= slots.size(); ++i)
      if (i == slots.size() || slots[i].first / lanes != slots[i - 1].first / lanes)
        tiles.push_back(i);
    const Index tile_count = static_cast<Index>(tiles.size()) - 1;

    Pass pass(*this, at, nullptr);
    const Index size = tables_.sums(),
                blocks = (tile_count + tiles_per_block - 1) / tiles_per_block;
    std::vector<double> sums(static_cast<std::size_t>(blocks * size), 0.0);
    parallel_ranges(tile_count, tiles_per_block, [&](Index begin, Index end) {
      SingleTile single(*this);
      double* sum = sums.data() + begin / tiles_per_block * size;
      for (Index i = begin; i < end; ++i) {
        const auto first = tiles[static_cast<std::size_t>(i)],
                   last = tiles[static_cast<std::size_t>(i) + 1];
        single.open(slots[first].first / lanes);
        for (std::size_t k = first; k < last; ++k) single.add(slots[k].second);
        single.run(pass, false);
        for (Index j = 0; j < size; ++j) sum[j] += single.partial[static_cast<std::size_t>(j)];
      }
    });
    for (Index block = 1; block < blocks; ++block)
      for (Index i = 0; i < size; ++i)
        sums[static_cast<std::size_t>(i)] += sums[static_cast<std::size_t>(block * size + i)];
    tables_.gradient(sums.data(), static_cast<double>(slots.size()), at, pass.attention, nullptr,
                     out, nullptr, false);
  }

  void gradient_along(const Point& at, const Point& along, Gradient& out,
                      Gradient& derivative) const override {
    evaluate(at, &along, out, &derivative, true);
    derivative.loss = slope_along(out, along);
  }

  StandardErrors standard_errors(const Parameters& at) const override {
    const Point point = point_of(at);
    Pass pass(*this, point, nullptr);
    const int lanes = statistics_.lanes();
    const Index width = row_size(model_);
    std::vector<double> rows(static_cast<std::size_t>(chains_ * width));
    parallel_ranges(chains_, tiles_per_block * lanes, [&](Index begin, Index end) {
      SingleTile single(*this);
      Gradient g;
      std::vector<double> of_prefix(static_cast<std::size_t>(width));
      for (Index prefix = begin * prefixes_; prefix < end * prefixes_; ++prefix) {
        single.open(statistics_.slot(prefix) / lanes);
        single.add(prefix);
        single.run(pass, true);
        tables_.gradient(single.partial.data(), 1.0, point, pass.attention, nullptr, g, nullptr,
                         true);
        if (features_) back_from_tile(pass, single, g);
        write_row(at, g, of_prefix.data());
        double* row = rows.data() + prefix / prefixes_ * width;
        for (const double x : of_prefix) *row++ += x / static_cast<double>(prefixes_);
      }
    });
    return errors_of_rows(rows, model_);
  }

 private:
  /// Calls use(i) for the numbers of the chains' prefixes, as which they are counted.
  template <class Use>
  void for_prefixes(std::span<const Index> chains, Use use) const {
    for (const Index chain : chains)
      for (Index i = chain * prefixes_; i < (chain + 1) * prefixes_; ++i) use(i);
  }

  /// What all blocks of one evaluation share.
  struct Pass {
    Pass(const TiledObjective& objective, const Point& at_point, const Point* direction)
        : at(at_point),
          along(direction),
          attention(objective.tables_.attention(at, along)),
          model(objective.tables_.view()),
          statistics(objective.statistics_.view()),
          point(ModelTables::point(at, attention, along)) {
      if (objective.features_) features = objective.features_->forward(at, along);
    }

    const Point& at;
    const Point* along;
    Attention attention;
    hot::ModelView model;
    hot::StatisticsView statistics;
    hot::PointView point;
    Features features;  ///< u; empty with relative features
  };

  hot::BlockTask task_of(const Pass& pass, double* partial, bool with_loss) const {
    hot::BlockTask task{};
    task.model = &pass.model;
    task.statistics = &pass.statistics;
    task.point = &pass.point;
    task.partial = partial;
    task.with_loss = with_loss;
    if (features_) task.features = pass.features.data();
    task.packs = pass.features.packs;
    return task;
  }

  /// One tile by itself, with the labels of some of its chains only: the others add nothing.
  struct SingleTile {
    SingleTile() = default;
    explicit SingleTile(const TiledObjective& whole)
        : objective(&whole),
          partial(static_cast<std::size_t>(whole.tables_.sums())),
          targets(static_cast<std::size_t>(whole.model_.vocabulary * whole.statistics_.lanes())) {}

    void open(Index number) {
      tile = number;
      std::fill(targets.begin(), targets.end(), 0.0);
    }
    void add(Index prefix) { objective->statistics_.add_targets(prefix, targets.data()); }
    void run(const Pass& pass, bool with_loss) {
      const TiledStatistics& statistics = objective->statistics_;
      const hot::Segment segment{statistics.group_of_tile(tile), tile, tile + 1};
      hot::BlockTask task = objective->task_of(pass, partial.data(), with_loss);
      hot::StatisticsView view = pass.statistics;
      const std::int64_t from_the_start[] = {0, 0};
      if (objective->features_) {
        const std::int64_t* first = view.group_pairs + segment.group;
        pulls.resize(
            static_cast<std::size_t>((first[1] - first[0]) / hot::pack * objective->model_.heads));
        query_pulls.resize(
            static_cast<std::size_t>(objective->model_.heads * objective->model_.vocabulary));
        view.segment_pairs = from_the_start;
        task.statistics = &view;
        task.pulls = pulls.front().number;
        task.query_pulls = query_pulls.data();
      }
      task.segments = &segment;
      task.segment_count = 1;
      task.targets_override = targets.data();
      objective->run(task, false);
    }

    const TiledObjective* objective = nullptr;
    Index tile = 0;
    std::vector<double> partial, targets;
    std::vector<hot::Line> pulls;  // [pairs / 8, H]
    std::vector<double> query_pulls;
  };

  /// Derivatives in the features' parameters from a tile that was run by itself.
  void back_from_tile(const Pass& pass, const SingleTile& tile, Gradient& out) const {
    const Index H = model_.heads, d = model_.vocabulary;
    std::vector<Index> rows;  // those that are pulled at, each with ∂/∂u [H, d]
    std::vector<double> u_bar;
    const Index group = statistics_.group_of_tile(tile.tile);
    const Index query = pass.statistics.query_window[group];
    const Index first = pass.statistics.group_pairs[group];
    const Index pairs = pass.statistics.group_pairs[group + 1] - first;
    for (Index j = 0; j < pairs; ++j) {
      const hot::Line* pulls = tile.pulls.data() + j / hot::pack * H;
      const auto pull = [&](Index h) { return pulls[h].number[j % hot::pack]; };
      Index pulled = 0;
      while (pulled < H && pull(pulled) == 0.0) ++pulled;
      if (pulled == H) continue;
      rows.push_back(pass.statistics.pair_window[first + j]);
      for (Index k = 0; k < H * d; ++k) u_bar.push_back(pull(k / d) * pass.features.at(k, query));
    }
    rows.push_back(query);
    u_bar.insert(u_bar.end(), tile.query_pulls.begin(), tile.query_pulls.end());
    const auto used = static_cast<Index>(rows.size());
    while (rows.size() % hot::pack != 0) rows.push_back(query);
    features_->backward(
        pass.at, nullptr, 1.0, rows,
        [&](Index begin, Index end, double* to) {
          for (Index pack = begin; pack < end; ++pack)
            for (Index k = 0; k < H * d; ++k)
              for (Index i = pack * hot::pack; i < (pack + 1) * hot::pack; ++i)
                *to++ = i < used ? u_bar[static_cast<std::size_t>(i * H * d + k)] : 0.0;
        },
        out, nullptr);
  }

  void run(hot::BlockTask task, bool dual) const {
    const int bytes = statistics_.count_bytes();
    const bool dense = statistics_.lanes() == 8, table = features_.has_value();
    task.scratch = scratch_of_thread(static_cast<std::size_t>(
        functions_.blocks.scratch[dual][dense](*task.model, statistics_.most_pairs())));
    functions_.blocks.run[table][dual][dense][bytes == 1 ? 0 : bytes == 2 ? 1 : 2](task);
  }

  /// `targets` replaces those of all tiles, and `labelled` is how many chains have theirs there.
  void evaluate(const Point& at, const Point* along, Gradient& out, Gradient* derivative,
                bool with_loss, const double* targets = nullptr, Index labelled = 0) const {
    const double count = static_cast<double>((targets != nullptr ? labelled : chains_) * prefixes_);
    Pass pass(*this, at, along);
    if (targets != nullptr) pass.statistics.targets = targets;
    const Index parts = along ? 2 : 1, H = model_.heads, d = model_.vocabulary;
    const Index size = tables_.sums() * parts, blocks = statistics_.blocks();
    std::vector<double> partial(static_cast<std::size_t>(blocks * size));
    // Every number of these is written: they are large, and zeros would be in vain.
    std::unique_ptr<hot::Line[]> pulls;
    std::unique_ptr<double[]> query_pulls;
    if (features_) {
      pulls = std::make_unique_for_overwrite<hot::Line[]>(
          static_cast<std::size_t>(statistics_.segment_pairs() / hot::pack * H * parts));
      query_pulls = std::make_unique_for_overwrite<double[]>(
          static_cast<std::size_t>(statistics_.segments() * H * d * parts));
    }
    parallel_blocks(blocks, [&](Index block) {
      hot::BlockTask task = task_of(pass, partial.data() + block * size, with_loss);
      task.segments = statistics_.segments_of(block);
      task.segment_count = statistics_.segment_count(block);
      task.first_segment = statistics_.first_segment(block);
      task.pulls = pulls ? pulls[0].number : nullptr;
      task.query_pulls = query_pulls.get();
      run(task, along != nullptr);
    });
    for (Index block = 1; block < blocks; ++block)
      for (Index i = 0; i < size; ++i)
        partial[static_cast<std::size_t>(i)] += partial[static_cast<std::size_t>(block * size + i)];
    tables_.gradient(partial.data(), count, at, pass.attention, along, out, derivative, with_loss);
    if (features_) back(pass, pulls[0].number, query_pulls.get(), count, out, derivative);
  }

  /// From the pulls at pairs and queries to the derivatives in the features' parameters.
  void back(const Pass& pass, const double* pulls, const double* query_pulls, double count,
            Gradient& out, Gradient* derivative) const {
    const Index parts = pass.along ? 2 : 1, H = model_.heads, d = model_.vocabulary;
    hot::PullTask task = statistics_.pull_task();
    task.d = d;
    task.H = H;
    task.pulls = pulls;
    std::vector<double> of_queries;
    of_queries.reserve(static_cast<std::size_t>(statistics_.groups() * H * d * parts));
    for (Index group = 0; group < statistics_.groups(); ++group)
      for (Index k = 0; k < H * d; ++k)
        for (Index part = 0; part < parts; ++part)
          of_queries.push_back(pass.features.at(k, features_->row_of_query(group), part));
    task.query_features = of_queries.data();
    const Index windows = features_->row_of_query(0) / hot::pack;  // packs of them
    const auto pull = [&](Index begin, Index end, double* u_bar) {
      const Index last = std::min(end, windows);
      if (begin < last) {
        std::vector<double> room(static_cast<std::size_t>(H * d * parts));
        functions_.features.collect[parts - 1](task, begin, last, u_bar, room.data());
        u_bar += (last - begin) * H * d * parts * hot::pack;
      }
      for (Index pack = std::max(begin, windows); pack < end; ++pack)
        for (Index k = 0; k < H * d; ++k)
          for (Index part = 0; part < parts; ++part)
            for (Index l = 0; l < hot::pack; ++l, ++u_bar) {
              const Index group = (pack - windows) * hot::pack + l;
              *u_bar = 0.0;
              if (group >= statistics_.groups()) continue;
              const Index after = statistics_.first_segment_of_group(group + 1);
              for (Index i = statistics_.first_segment_of_group(group); i < after; ++i)
                *u_bar += query_pulls[(i * H * d + k) * parts + part];
            }
    };
    features_->backward(pass.at, pass.along, count, pull, out, derivative);
  }

  const HotLoops functions_;
  Model model_;
  Index chains_, prefixes_;  ///< prefixes of each chain
  ModelTables tables_;
  TiledStatistics statistics_;
  std::optional<FeatureTable> features_;  ///< empty: relative features
};

}  // namespace

MemoryBound tiled_memory(const Model& model, Index chains, Index length, int lanes) {
  MemoryBound bound = statistics_memory(model, chains, length, lanes);
  const ModelTables tables(model, has_relative_features(model));
  const double n = static_cast<double>(chains * model.asked(length)),
               pairs = n * static_cast<double>(length) + hot::pack,
               windows = std::pow(static_cast<double>(model.vocabulary) + 1.0,
                                  static_cast<double>(model.widest()));
  const auto most_pairs = static_cast<Index>(std::min({windows + hot::pack, pairs, 0x1p40}));
  const double H = static_cast<double>(model.heads), d = static_cast<double>(model.vocabulary);
  // Of a table: u and what flows back, with directions.
  const TableSizes table = table_sizes(model, chains, length);
  const double seen = has_relative_features(model)
                          ? 0.0
                          : 16.0 * H * (table.segment_pairs + d * (table.rows + table.segments));
  const auto scratch = hot_loops("").blocks.scratch[1][1](tables.view(), most_pairs);
  // Sums of blocks, of an evaluation or of a minibatch; or the rows of standard errors.
  const double sums = 16.0 * static_cast<double>(tables.sums()),
               rows = 8.0 * static_cast<double>(chains * (row_size(model) + 1));
  bound.peak = std::max(bound.peak, bound.kept + std::max(rows, sums * n / tiles_per_block)) +
               512.0 * sums + seen + threads() * 8.0 * static_cast<double>(scratch);
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
