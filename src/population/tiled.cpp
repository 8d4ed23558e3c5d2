// The engine on sufficient statistics on the CPU: hot loops over the blocks of all parts, and the
// sums of a part's blocks, added in order.

#include <algorithm>
#include <deque>
#include <memory>
#include <optional>

#include "gihflow/base/errors.hpp"
#include "gihflow/base/parallel.hpp"
#include "gihflow/base/size.hpp"
#include "population/chain_moments.hpp"
#include "population/engines.hpp"
#include "population/features.hpp"
#include "population/instruction_sets.hpp"
#include "population/model_tables.hpp"
#include "population/parts.hpp"
#include "population/tiled_statistics.hpp"

namespace gihflow {

namespace {

/// The chains of a part.
class TiledPart {
 public:
  template <class Counted>
  TiledPart(const Model& model, Counted&& counted, int lanes, const std::string& set, Index blocks)
      : functions_(hot_loops(set)),
        model_(model),
        chains_(counted.chains / counted.prefixes),
        prefixes_(counted.prefixes),
        tables_(model, has_relative_features(model)),
        statistics_(model, std::forward<Counted>(counted), lanes, blocks),
        moments_(tables_, statistics_, functions_.moments) {
    if (!has_relative_features(model))
      features_.emplace(model, statistics_.code(), statistics_.table_keys(), statistics_.queries(),
                        set);
  }

  int lanes() const { return statistics_.lanes(); }
  std::size_t memory() const {
    return statistics_.memory() + (features_ ? features_->memory() : 0);
  }

  class Evaluation;

  /// Gradient summed over `chains`, numbers within the part, and divided by `count`.
  void batch_gradient(std::span<const Index> chains, const Point& at, double count,
                      Gradient& out) const;

  Moments moments(const Parameters& at) const {
    const Point point = point_of(at);
    Pass pass(*this, point, nullptr);
    const Index lanes = statistics_.lanes(), width = row_size(model_);
    const auto write_rows = [&](Index begin, Index end, double* rows) {
      SingleTile single(*this);
      Gradient g;
      std::vector<double> row(size(width));
      for (Index prefix = begin * prefixes_; prefix < end * prefixes_; ++prefix) {
        single.open(statistics_.slot(prefix) / lanes);
        single.add(prefix);
        single.run(pass, {});
        tables_.gradient(single.partial.data(), 1.0, point, pass.attention, nullptr, g, nullptr,
                         true);
        if (features_) back_from_tile(pass, single, g);
        write_row(at, g, row.data());
        double* to = rows + (prefix / prefixes_ - begin) * width;
        for (const double x : row) *to++ += x / static_cast<double>(prefixes_);
      }
    };
    if (lanes == hot::pack && prefixes_ == 1 && !features_)
      return moments_.of(at, point, pass.attention,
                         [&](Index chain, double* row) { write_rows(chain, chain + 1, row); });
    std::vector<double> rows(size(chains_ * width));
    parallel_ranges(chains_, tiles_per_block * lanes, [&](Index begin, Index end) {
      write_rows(begin, end, rows.data() + begin * width);
    });
    return moments_of_rows(rows, width);
  }

 private:
  /// Calls use(i) for every prefix i of the chains (1.6), as the statistics number them.
  template <class Use>
  void for_prefixes(std::span<const Index> chains, Use use) const {
    for (const Index chain : chains)
      for (Index i = chain * prefixes_; i < (chain + 1) * prefixes_; ++i) use(i);
  }

  /// A point and what all blocks of one evaluation share.
  struct Pass {
    Pass(const TiledPart& part, const Point& at_point, const Point* direction)
        : at(at_point),
          along(direction),
          attention(part.tables_.attention(at, along)),
          model(part.tables_.view()),
          statistics(part.statistics_.view()),
          point(ModelTables::point(at, attention, along)) {
      if (part.features_) features = part.features_->forward(at, along);
    }

    const Point& at;
    const Point* along;
    Attention attention;
    hot::ModelView model;
    hot::StatisticsView statistics;
    hot::PointView point;
    Features features;  ///< u; empty with relative features
  };

  hot::BlockTask task_of(const Pass& pass, double* partial, Wanted wanted) const {
    hot::BlockTask task{};
    task.model = &pass.model;
    task.statistics = &pass.statistics;
    task.point = &pass.point;
    task.partial = partial;
    task.with_loss = wanted.loss;
    task.with_gradient = wanted.derivatives >= Derivatives::scale;
    task.with_weights = wanted.derivatives >= Derivatives::weights;
    task.with_features = wanted.derivatives == Derivatives::all;
    if (features_) task.features = pass.features.data();
    task.packs = pass.features.packs;
    return task;
  }

  /// One tile by itself, with the labels of some of its chains alone: the others add nothing.
  struct SingleTile {
    SingleTile() = default;
    explicit SingleTile(const TiledPart& whole)
        : part(&whole),
          partial(size(whole.tables_.sums())),
          targets(size(whole.model_.vocabulary * whole.statistics_.lanes())) {}

    void open(Index number) {
      tile = number;
      std::fill(targets.begin(), targets.end(), 0.0);
      std::fill(partial.begin(), partial.end(), 0.0);
    }
    void add(Index prefix) { part->statistics_.add_targets(prefix, targets.data()); }
    void run(const Pass& pass, Wanted wanted) {
      const TiledStatistics& statistics = part->statistics_;
      const hot::Segment segment{statistics.group_of_tile(tile), 0, 1};
      hot::StatisticsView view = pass.statistics;  // this tile becomes number 0
      view.tile_entries += tile * part->model_.vocabulary;
      view.targets = targets.data();
      hot::BlockTask task = part->task_of(pass, partial.data(), wanted);
      task.statistics = &view;
      const std::int64_t from_the_start[] = {0, 0};
      if (part->features_) {
        const std::int64_t* first = view.group_pairs + segment.group;
        pulls.resize(size((first[1] - first[0]) / hot::pack * part->model_.heads));
        query_pulls.resize(size(part->model_.heads * part->model_.vocabulary));
        view.segment_pairs = from_the_start;
        task.pulls = pulls.front().number;
        task.query_pulls = query_pulls.data();
      }
      task.segments = &segment;
      task.segment_count = 1;
      part->run(task, false);
    }

    const TiledPart* part = nullptr;
    Index tile = 0;
    std::vector<double> partial, targets;
    std::vector<hot::Line> pulls;  // [pairs / 8, H]
    std::vector<double> query_pulls;
  };

  /// Derivatives in the parameters of features, from a tile that was run by itself.
  void back_from_tile(const Pass& pass, const SingleTile& tile, Gradient& out) const {
    const Index H = model_.heads, d = model_.vocabulary;
    std::vector<Index> rows;    // of the table, with ∂/∂u other than 0
    std::vector<double> u_bar;  // [rows, H, d]
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
                *to++ = i < used ? u_bar[size(i * H * d + k)] : 0.0;
        },
        out, nullptr);
  }

  void run(hot::BlockTask task, bool dual) const {
    const int bytes = statistics_.count_bytes();
    const bool dense = statistics_.lanes() == 8, table = features_.has_value();
    task.scratch = scratch_of_thread(
        size(functions_.blocks.scratch[dual][dense](*task.model, statistics_.most_pairs())));
    functions_.blocks.run[table][dual][dense][bytes == 1 ? 0 : bytes == 2 ? 1 : 2](task);
  }

  /// Derivatives in the parameters of features, from BlockTask::pulls and query_pulls of all
  /// blocks.
  void back(const Pass& pass, const double* pulls, const double* query_pulls, double count,
            Gradient& out, Gradient* derivative) const {
    const Index parts = pass.along ? 2 : 1, H = model_.heads, d = model_.vocabulary;
    hot::PullTask task = statistics_.pull_task();
    task.d = d;
    task.H = H;
    task.pulls = pulls;
    std::vector<double> of_queries;
    of_queries.reserve(size(statistics_.groups() * H * d * parts));
    for (Index group = 0; group < statistics_.groups(); ++group)
      for (Index k = 0; k < H * d; ++k)
        for (Index part = 0; part < parts; ++part)
          of_queries.push_back(pass.features.at(k, features_->row_of_query(group), part));
    of_queries.resize(of_queries.size() + hot::pack);  // see PullTask::query_features
    task.query_features = of_queries.data();
    const Index windows = features_->row_of_query(0) / hot::pack;  // packs of them
    const auto pull = [&](Index begin, Index end, double* u_bar) {
      const Index last = std::min(end, windows);
      if (begin < last) {
        std::vector<double> room(size(H * d * parts));
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
  const ChainMoments moments_;
};

/// One evaluation of a part: all blocks in any order, then their sum, then derivatives.
class TiledPart::Evaluation {
 public:
  /// `targets` replaces those of all tiles.
  Evaluation(const TiledPart& part, const Point& at, const Point* along, Wanted wanted,
             const double* targets = nullptr)
      : part_(part),
        pass_(part, at, along),
        wanted_(wanted),
        size_(part.tables_.sums() * (along ? 2 : 1)),
        partial_(size(blocks() * size_)) {
    if (targets != nullptr) pass_.statistics.targets = targets;
    if (!part.features_) return;
    const Index numbers = part.model_.heads * (along ? 2 : 1);
    const TiledStatistics& s = part.statistics_;
    pulls_ =
        std::make_unique_for_overwrite<hot::Line[]>(size(s.segment_pairs() / hot::pack * numbers));
    query_pulls_ = std::make_unique_for_overwrite<double[]>(
        size(s.segments() * numbers * part.model_.vocabulary));
  }

  Index blocks() const { return part_.statistics_.blocks(); }

  void run(Index block) {
    const TiledStatistics& s = part_.statistics_;
    hot::BlockTask task = part_.task_of(pass_, partial_.data() + block * size_, wanted_);
    task.segments = s.segments_of(block);
    task.segment_count = s.segment_count(block);
    task.first_segment = s.first_segment(block);
    task.pulls = pulls_ ? pulls_[0].number : nullptr;
    task.query_pulls = query_pulls_.get();
    part_.run(task, pass_.along != nullptr);
  }

  void sum() { add_blocks(partial_, size(size_)); }

  /// Results are divided by the number `chains`.
  void finish(double chains, Gradient& out, Gradient* derivative) const {
    const double count = chains * static_cast<double>(part_.prefixes_);
    part_.tables_.gradient(partial_.data(), count, pass_.at, pass_.attention, pass_.along, out,
                           derivative, wanted_.loss);
    if (pulls_ && wanted_.derivatives == Derivatives::all)
      part_.back(pass_, pulls_[0].number, query_pulls_.get(), count, out, derivative);
  }

 private:
  const TiledPart& part_;
  Pass pass_;
  Wanted wanted_;
  Index size_;
  std::vector<double> partial_;  ///< [blocks, size]
  // Large, and every number is written: so they are not initialised.
  std::unique_ptr<hot::Line[]> pulls_;
  std::unique_ptr<double[]> query_pulls_;
};

void TiledPart::batch_gradient(std::span<const Index> chains, const Point& at, double count,
                               Gradient& out) const {
  const int lanes = statistics_.lanes();
  if (features_) {  // one pass over all chains, in which the others have no label
    const Index d = model_.vocabulary;
    std::vector<double> targets(size(statistics_.tiles() * d * lanes));
    for_prefixes(chains, [&](Index prefix) {
      statistics_.add_targets(prefix,
                              targets.data() + statistics_.slot(prefix) / lanes * d * lanes);
    });
    Evaluation all(*this, at, nullptr, {.loss = false}, targets.data());
    parallel_blocks(all.blocks(), [&](Index block) { all.run(block); });
    all.sum();
    all.finish(count, out, nullptr);
    return;
  }
  std::vector<std::pair<Index, Index>> slots;  // (slot, prefix)
  for_prefixes(chains, [&](Index prefix) { slots.emplace_back(statistics_.slot(prefix), prefix); });
  std::sort(slots.begin(), slots.end());
  std::vector<std::size_t> tiles{0};  // where each tile's slots begin
  for (std::size_t i = 1; i <= slots.size(); ++i)
    if (i == slots.size() || slots[i].first / lanes != slots[i - 1].first / lanes)
      tiles.push_back(i);
  const Index tile_count = static_cast<Index>(tiles.size()) - 1;
  Pass pass(*this, at, nullptr);
  const Index numbers = tables_.sums(),
              blocks = (tile_count + tiles_per_block - 1) / tiles_per_block;
  std::vector<double> sums(size(blocks * numbers), 0.0);
  parallel_ranges(tile_count, tiles_per_block, [&](Index begin, Index end) {
    SingleTile single(*this);
    double* sum = sums.data() + begin / tiles_per_block * numbers;
    for (Index i = begin; i < end; ++i) {
      const auto first = tiles[size(i)], last = tiles[size(i) + 1];
      single.open(slots[first].first / lanes);
      for (std::size_t k = first; k < last; ++k) single.add(slots[k].second);
      single.run(pass, {.loss = false});
      add_entries({sum, size(numbers)}, single.partial);
    }
  });
  add_blocks(sums, size(numbers));
  tables_.gradient(sums.data(), count * static_cast<double>(prefixes_), at, pass.attention, nullptr,
                   out, nullptr, false);
}

class TiledObjective final : public PartedObjective {
 public:
  /// statistics_of(first, count): those of `count` chains from `first` on. The first part chooses
  /// the layout of all. Means are over `of` chains, see make_tiled_objective().
  template <class Counting>
  TiledObjective(const Model& model, Parts parts, Index of, int lanes, const std::string& set,
                 const Counting& statistics_of)
      : model_(model), cut_(parts), of_(of) {
    const Index blocks =
        std::max(blocks_of_all / Parts{of, parts.size}.count(), least_blocks_of_part);
    for (Index i = 0; i < cut_.count(); ++i) {
      parts_.push_back(std::make_unique<const TiledPart>(
          model, statistics_of(cut_.first(i), cut_.chains_of(i)), lanes, set, blocks));
      lanes = parts_.front()->lanes();
    }
  }

  const Model& model() const override { return model_; }
  Index chains() const override { return cut_.chains; }
  std::string engine() const override { return parts_[0]->lanes() == 8 ? "dense" : "sparse"; }
  std::size_t memory() const override { return memory_of(parts_); }

  std::vector<Share> shares(const Point& at, const Point* along, Wanted wanted) const override {
    std::vector<Share> out(parts_.size());
    for (std::size_t first = 0; first < parts_.size(); first += parts_at_once) {
      const std::size_t count = std::min<std::size_t>(parts_at_once, parts_.size() - first);
      std::deque<TiledPart::Evaluation> some;
      std::vector<Index> begin{0};  // where the blocks of each begin
      for (std::size_t i = 0; i < count; ++i)
        begin.push_back(begin.back() +
                        some.emplace_back(*parts_[first + i], at, along, wanted).blocks());
      parallel_blocks(begin.back(), [&](Index block) {
        const auto i = std::upper_bound(begin.begin(), begin.end(), block) - begin.begin() - 1;
        some[size(i)].run(block - begin[size(i)]);
      });
      parallel_blocks(static_cast<Index>(count), [&](Index i) { some[size(i)].sum(); });
      for (std::size_t i = 0; i < count; ++i) {
        Share& share = out[first + i];
        some[i].finish(static_cast<double>(of_), share.value, along ? &share.derivative : nullptr);
      }
    }
    return out;
  }

  std::vector<Share> batch_shares(std::span<const Index> chains, double count,
                                  const Point& at) const override {
    std::vector<std::vector<Index>> of_part(parts_.size());  // numbers within each
    for (const Index chain : chains) of_part[size(chain / cut_.size)].push_back(chain % cut_.size);
    std::vector<Share> out(parts_.size());
    parallel_blocks(cut_.count(), [&](Index i) {
      const std::vector<Index>& some = of_part[size(i)];
      if (!some.empty()) parts_[size(i)]->batch_gradient(some, at, count, out[size(i)].value);
    });
    return out;
  }

  std::vector<Moments> moments(const Parameters& at) const override {
    std::vector<Moments> out;
    for (const auto& part : parts_) out.push_back(part->moments(at));
    return out;
  }

 private:
  Model model_;
  Parts cut_;
  Index of_;
  std::vector<std::unique_ptr<const TiledPart>> parts_;
};

}  // namespace

std::unique_ptr<PartedObjective> make_tiled_objective(const Model& model,
                                                      const SequenceSource& source, int lanes,
                                                      const std::string& set, Index part_size,
                                                      Index of) {
  return std::make_unique<TiledObjective>(
      model, Parts{source.count(), part_size}, of == 0 ? source.count() : of, lanes, set,
      [&](Index first, Index count) {
        return count_windows(model, SequenceSlice(source, first, count));
      });
}

std::unique_ptr<PartedObjective> make_tiled_objective(const Model& model, const Statistics& counted,
                                                      int lanes, const std::string& set) {
  return std::make_unique<TiledObjective>(
      model, Parts{counted.chains / counted.prefixes}, counted.chains / counted.prefixes, lanes,
      set, [&](Index first, Index count) {
        return statistics_of(counted, first * counted.prefixes, count * counted.prefixes);
      });
}

}  // namespace gihflow
