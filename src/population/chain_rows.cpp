#include "population/chain_rows.hpp"

#include <vector>

#include "gihflow/base/parallel.hpp"
#include "gihflow/base/size.hpp"
#include "population/engines.hpp"
#include "population/instruction_sets.hpp"

namespace gihflow {

namespace {

/// The chains of every lane of every tile, one after the other.
struct Slots {
  std::vector<Index> begin, chains;

  Slots(const TiledStatistics& statistics, Index count)
      : begin(size(statistics.tiles() * statistics.lanes() + 1), 0), chains(size(count)) {
    for (Index chain = 0; chain < count; ++chain) ++begin[size(statistics.slot(chain))];
    Index before = 0;
    for (Index& here : begin) here = before += here;  // the ends
    for (Index chain = count; chain-- > 0;)
      chains[size(--begin[size(statistics.slot(chain))])] = chain;
  }
};

}  // namespace

// [width − 1, sums]: a row's derivatives are linear in the sums.
std::vector<double> ChainRows::derivatives_from_sums(const Parameters& at, const Point& point,
                                                     const Attention& attention,
                                                     Index width) const {
  const Index sums = tables_.sums() - hot::partial_a;
  std::vector<double> from_sums(size((width - 1) * sums)), row(size(width));
  std::vector<double> one_sum(size(tables_.sums()), 0.0);
  Gradient gradient;
  for (Index i = 0; i < sums; ++i) {
    one_sum[size(hot::partial_a + i)] = 1.0;
    tables_.gradient(one_sum.data(), 1.0, point, attention, nullptr, gradient, nullptr, true);
    one_sum[size(hot::partial_a + i)] = 0.0;
    write_row(at, gradient, row.data());
    for (Index k = 1; k < width; ++k) from_sums[size((k - 1) * sums + i)] = row[size(k)];
  }
  return from_sums;
}

void ChainRows::write(const Parameters& at, const Point& point, const Attention& attention,
                      Index width, std::span<double> rows,
                      const std::function<void(Index begin, Index end)>& one_by_one) const {
  const std::vector<double> from_sums = derivatives_from_sums(at, point, attention, width);
  const Slots slots(statistics_, static_cast<Index>(rows.size()) / width);
  const hot::ModelView model = tables_.view();
  const hot::StatisticsView view = statistics_.view();
  const hot::PointView here = ModelTables::point(point, attention, nullptr);
  const int bytes = statistics_.count_bytes();
  const Index lanes = statistics_.lanes();
  parallel_blocks(statistics_.blocks(), [&](Index block) {
    hot::RowTask task{};
    task.model = &model;
    task.statistics = &view;
    task.point = &here;
    task.width = width;
    task.from_sums = from_sums.data();
    task.slot_begin = slots.begin.data();
    task.chains = slots.chains.data();
    task.targets = statistics_.targets_of(0);
    task.rows = rows.data();
    for (Index i = 0; i < statistics_.segment_count(block); ++i) {
      task.segment = statistics_.segments_of(block)[i];
      task.scratch =
          scratch_of_thread(size(functions_.scratch(model, statistics_.most_pairs(), width)));
      if (functions_.run[bytes == 1 ? 0 : bytes == 2 ? 1 : 2](task)) continue;
      const Index begin = slots.begin[size(task.segment.tile_begin * lanes)],
                  end = slots.begin[size(task.segment.tile_end * lanes)];
      for (Index k = begin; k < end; ++k)
        one_by_one(slots.chains[size(k)], slots.chains[size(k)] + 1);
    }
  });
}

}  // namespace gihflow
