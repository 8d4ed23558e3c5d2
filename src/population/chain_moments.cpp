#include "population/chain_moments.hpp"

#include <algorithm>
#include <cmath>
#include <utility>

#include "gihflow/base/parallel.hpp"
#include "gihflow/base/size.hpp"
#include "population/engines.hpp"
#include "population/instruction_sets.hpp"

namespace gihflow {

// The chains of every lane of every tile: those of a lane are chains[begin[lane]] up to
// chains[begin[lane + 1] − 1]. Where these are more than d + 1, the first d + 1 are replaced by
// −1 − i, i a row of `condensed`: vectors with the same second moments as the (1, T) of all of
// them.
struct ChainMoments::LaneChains {
  std::vector<Index> begin, chains;
  std::vector<double> condensed;  // [rows, d + 1]

  LaneChains(const TiledStatistics& statistics, Index vocabulary)
      : begin(size(statistics.tiles() * statistics.lanes() + 1), 0),
        chains(size(statistics.chains())) {
    for (Index chain = 0; chain < statistics.chains(); ++chain)
      ++begin[size(statistics.slot(chain))];
    Index before = 0;
    for (Index& here : begin) here = before += here;  // the end of each lane, for now
    for (Index chain = statistics.chains(); chain-- > 0;)
      chains[size(--begin[size(statistics.slot(chain))])] = chain;
    for (std::size_t lane = 0; lane + 1 < begin.size(); ++lane)
      if (begin[lane + 1] - begin[lane] > vocabulary + 1)
        condense(statistics,
                 std::span(chains).subspan(size(begin[lane]), size(begin[lane + 1] - begin[lane])),
                 size(vocabulary) + 1);
  }

 private:
  // Appends d + 1 vectors x with Σ x xᵀ = Σ (1, T) (1, T)ᵀ over some chains, and puts their numbers
  // in place of the first d + 1 chains: the columns of the Cholesky factor of that matrix, 0 where
  // a pivot is not above rounding errors.
  void condense(const TiledStatistics& statistics, std::span<Index> some, std::size_t width) {
    std::vector<double> moments(width * width, 0.0), label(width, 1.0);
    for (const Index chain : some) {
      std::copy_n(statistics.targets_of(chain), width - 1, label.begin() + 1);
      for (std::size_t i = 0; i < width; ++i)
        for (std::size_t j = 0; j <= i; ++j) moments[i * width + j] += label[i] * label[j];
    }
    std::vector<double> rest = moments;
    for (std::size_t k = 0; k < width; ++k) {
      some[k] = -1 - static_cast<Index>(condensed.size() / width);
      condensed.resize(condensed.size() + width, 0.0);
      double* const column = condensed.data() + condensed.size() - width;
      const double pivot = rest[k * width + k];
      if (!(pivot > 1e-14 * moments[k * width + k])) continue;
      for (std::size_t i = k; i < width; ++i) column[i] = rest[i * width + k] / std::sqrt(pivot);
      for (std::size_t i = k + 1; i < width; ++i)
        for (std::size_t j = k + 1; j <= i; ++j) rest[i * width + j] -= column[i] * column[j];
    }
  }
};

ChainMoments::ChainMoments(const ModelTables& tables, const TiledStatistics& statistics,
                           const hot::MomentFunctions& functions)
    : tables_(tables), statistics_(statistics), functions_(functions) {}

ChainMoments::~ChainMoments() = default;

// The derivatives of a row in the order of the hot loops, see hot::MomentTask. Those in the logits
// of a head add up to 0, as softmax does not see a common shift: that in the logit with the largest
// σ is a further one, minus the sum of the others.
struct ChainMoments::RowDerivatives {
  std::vector<Index> row;         // where each stands in a row, the further ones last
  std::vector<double> from_sums;  // [derivatives, sums] its coefficients: it is linear in the sums
  std::vector<Index> first_sum, end_sum;  // [derivatives] coefficients before and from here are 0
  std::vector<Index> others;  // [further, M − 1] derivatives, minus the sum of which it is
};

ChainMoments::RowDerivatives ChainMoments::derivatives(const Parameters& at, const Point& point,
                                                       const Attention& attention) const {
  const Model& model = tables_.model();
  const Index width = row_size(model), sums = tables_.sums() - hot::partial_a;
  const Index logits = 1 + model.subsets(), M = model.window;
  std::vector<Index> further;
  for (Index h = 0; h < model.heads; ++h) {
    const auto sigma = attention.sigma.begin() + h * M;
    further.push_back(logits + h * M + (std::max_element(sigma, sigma + M) - sigma));
  }
  RowDerivatives result;
  std::vector<Index> number(size(width), -1);
  for (Index row = 1; row < width; ++row) {
    if (std::find(further.begin(), further.end(), row) != further.end()) continue;
    number[size(row)] = static_cast<Index>(result.row.size());
    result.row.push_back(row);
  }
  for (Index h = 0; h < model.heads; ++h)
    for (Index row = logits + h * M; row < logits + (h + 1) * M; ++row)
      if (row != further[size(h)]) result.others.push_back(number[size(row)]);

  result.from_sums.resize(result.row.size() * size(sums));
  std::vector<double> row(size(width)), one_sum(size(tables_.sums()), 0.0);
  Gradient gradient;
  for (Index i = 0; i < sums; ++i) {
    one_sum[size(hot::partial_a + i)] = 1.0;
    tables_.gradient(one_sum.data(), 1.0, point, attention, nullptr, gradient, nullptr, true);
    one_sum[size(hot::partial_a + i)] = 0.0;
    write_row(at, gradient, row.data());
    for (std::size_t k = 0; k < result.row.size(); ++k)
      result.from_sums[k * size(sums) + size(i)] = row[size(result.row[k])];
  }
  for (std::size_t k = 0; k < result.row.size(); ++k) {
    const auto factors = std::span(result.from_sums).subspan(k * size(sums), size(sums));
    const auto is_used = [](double factor) { return factor != 0.0; };
    const auto first = std::find_if(factors.begin(), factors.end(), is_used);
    const auto last = std::find_if(factors.rbegin(), factors.rend(), is_used);
    result.first_sum.push_back(first - factors.begin());
    result.end_sum.push_back(factors.rend() - last);
  }
  result.row.insert(result.row.end(), further.begin(), further.end());
  return result;
}

Moments ChainMoments::of(const Parameters& at, const Point& point, const Attention& attention,
                         const std::function<void(Index chain, double* row)>& write_row) const {
  const Model& model = tables_.model();
  const Index chains = statistics_.chains(), lanes = statistics_.lanes(), width = row_size(model);
  const RowDerivatives derivatives = this->derivatives(at, point, attention);
  std::call_once(laid_out_, [&] {
    lanes_ = std::make_unique<const LaneChains>(statistics_, model.vocabulary);
  });
  const LaneChains& of_lanes = *lanes_;
  const hot::ModelView view = tables_.view();
  const hot::StatisticsView statistics = statistics_.view();
  const hot::PointView here = ModelTables::point(point, attention, nullptr);
  const int bytes = statistics_.count_bytes();

  const auto of_segment = [&](const hot::Segment& segment) {
    const Index begin = segment.tile_begin * lanes, end = segment.tile_end * lanes;
    const Index count = of_lanes.begin[size(end)] - of_lanes.begin[size(begin)];
    Moments out{static_cast<double>(count), std::vector<double>(size(width)),
                std::vector<double>(size(width))};
    std::vector<double> mean(size(width)), squares(size(width));
    hot::MomentTask task{};
    task.model = &view;
    task.statistics = &statistics;
    task.point = &here;
    task.segment = segment;
    task.derivatives = width - 1 - model.heads;
    task.from_sums = derivatives.from_sums.data();
    task.first_sum = derivatives.first_sum.data();
    task.end_sum = derivatives.end_sum.data();
    task.further = model.heads;
    task.others = derivatives.others.data();
    task.lane_begin = of_lanes.begin.data();
    task.chains = of_lanes.chains.data();
    task.targets = statistics_.targets_of(0);
    task.condensed = of_lanes.condensed.data();
    task.mean = mean.data();
    task.squares = squares.data();
    task.scratch = scratch_of_thread(
        size(functions_.scratch(view, statistics_.most_pairs(), task.derivatives)));
    if (!functions_.run[bytes == 1 ? 0 : bytes == 2 ? 1 : 2](task)) {
      std::vector<double> rows(size(count * width));
      double* row = rows.data();
      for (Index chain = 0; chain < chains; ++chain) {
        const Index slot = statistics_.slot(chain);
        if (slot < begin || slot >= end) continue;
        write_row(chain, row);
        row += width;
      }
      return moments_of_rows(rows, width);
    }
    out.mean.front() = mean.front();
    out.squares.front() = squares.front();
    for (std::size_t k = 0; k < derivatives.row.size(); ++k) {
      out.mean[size(derivatives.row[k])] = mean[k + 1];
      out.squares[size(derivatives.row[k])] = squares[k + 1];
    }
    return out;
  };

  std::vector<Moments> blocks(size(statistics_.blocks()));
  parallel_blocks(statistics_.blocks(), [&](Index block) {
    Moments& sum = blocks[size(block)];
    for (Index i = 0; i < statistics_.segment_count(block); ++i) {
      Moments segment = of_segment(statistics_.segments_of(block)[i]);
      if (i == 0)
        sum = std::move(segment);
      else
        add(sum, segment);
    }
  });
  Moments all;
  for (Moments& block : blocks) {
    if (block.chains == 0.0) continue;
    if (all.chains == 0.0)
      all = std::move(block);
    else
      add(all, block);
  }
  return all;
}

}  // namespace gihflow
