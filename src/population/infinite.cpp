// The objective in infinite context, formula (5.1), by the hot loops of laws.hot.cpp: products of
// matrices chains × windows (laws) and windows × queries (E). Queries are taken in panels, chains
// in ranges. E of a panel is computed once; its B is summed over ranges, in their order, and then
// goes back through (4.3) and the features.

#include "gihflow/population/infinite.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <memory>
#include <optional>

#include "base/make_fault.hpp"
#include "gihflow/base/errors.hpp"
#include "gihflow/base/memory.hpp"
#include "gihflow/base/parallel.hpp"
#include "gihflow/base/size.hpp"
#include "population/engines.hpp"
#include "population/features.hpp"
#include "population/infinite_cut.hpp"
#include "population/instruction_sets.hpp"
#include "population/model_tables.hpp"
#include "population/window_laws.hpp"

namespace gihflow {

namespace {

std::span<double> doubles(std::span<hot::Line> lines) {
  return {lines.front().number, lines.size() * hot::pack};
}

/// Memory for E, B and ∂/∂u of panels. Each calling thread keeps it from gradient to gradient:
/// allocating it anew costs a tenth of a gradient in page faults.
std::span<hot::Line> lines_of_thread(std::size_t count) {
  static thread_local std::vector<hot::Line> lines;
  if (lines.size() < count) lines.resize(count);
  return std::span(lines).first(count);
}

class InfiniteObjective final : public PartedObjective {
 public:
  InfiniteObjective(const Model& model, const Kernels& kernels, const std::string& set,
                    Index part_size, Index of)
      : hot_(hot_loops(set).laws),
        model_(model),
        parts_{kernels.count, part_size},
        of_(of == 0 ? kernels.count : of),
        tables_(model, false) {
    check_memory(kernels);
    laws_ = window_laws(model, kernels);
    Model all = model;
    all.boundary = Boundary::masked;  // partial windows do not exist in infinite context
    features_.emplace(all, WindowCode(all), laws_.window, std::span<const std::uint64_t>(), set);
  }

  const Model& model() const override { return model_; }
  Index chains() const override { return parts_.chains; }
  std::string engine() const override { return "infinite"; }
  std::size_t memory() const override {
    return (laws_.law.size() + laws_.next.size()) * sizeof(double);
  }

  std::vector<Share> shares(const Point& at, const Point* along, Wanted wanted) const override {
    const Features u = features_->forward(at, along);
    std::vector<Share> out;
    for (Index part = 0; part < parts_.count(); ++part)
      out.push_back(
          share_of(parts_.first(part), parts_.chains_of(part), of_, u, at, along, wanted));
    return out;
  }

  std::vector<Moments> moments(const Parameters& at) const override {
    const Point point = point_of(at);
    const Features u = features_->forward(point, nullptr);
    const Index width = row_size(model_);
    std::vector<Moments> out;
    for (Index part = 0; part < parts_.count(); ++part) {
      std::vector<double> rows(size(parts_.chains_of(part) * width));
      parallel_blocks(parts_.chains_of(part), [&](Index i) {
        const Share chain = share_of(parts_.first(part) + i, 1, 1, u, point, nullptr, {});
        write_row(at, chain.value, rows.data() + i * width);
      });
      out.push_back(moments_of_rows(rows, width));
    }
    return out;
  }

 private:
  void check_memory(const Kernels& kernels) const {
    const double needed =
        infinite_objective_memory(model_, parts_.chains, kernels.longest_lag()).peak;
    const double limit = static_cast<double>(memory_limit());
    if (needed > limit)
      throw InputError(fault("infinite context,",
                             fmt::format("{} chains with {} windows of {} tokens", parts_.chains,
                                         infinite::windows_of(model_), model_.widest()),
                             "need {:.1f} GiB of memory: must not exceed {:.1f} GiB",
                             needed / 0x1p30, limit / 0x1p30));
  }

  /// Loss and gradient that `count` chains from `first` on contribute to a mean over `of` chains.
  Share share_of(Index first, Index count, Index of, const Features& u, const Point& at,
                 const Point* along, Wanted wanted) const {
    const bool dual = along != nullptr, with_loss = wanted.loss,
               with_gradient = wanted.derivatives != Derivatives::none;
    const infinite::Cut cut(laws_.windows, count);
    const hot::ModelView model = tables_.view();
    const hot::PointView point = ModelTables::point(at, {}, along);
    const Index panel_lines = cut.packs * laws_.windows * u.parts,
                blocks = cut.at_once * cut.ranges;
    const std::size_t numbers = size(tables_.sums() * u.parts),
                      bar_lines = with_gradient ? u.lines.size() : 0;
    const std::span<hot::Line> lines =
        lines_of_thread(size((cut.at_once + blocks) * panel_lines) + size(cut.at_once) * bar_lines);
    const auto e = lines.first(size(cut.at_once * panel_lines)),
               b = lines.subspan(e.size(), size(blocks * panel_lines)),
               bars = lines.subspan(e.size() + b.size());
    const auto wide = std::make_unique<bool[]>(size(cut.at_once * cut.packs));
    std::vector<double> sums(size(blocks) * numbers, 0.0);
    std::ranges::fill(bars, hot::Line{});
    for (Index before = 0; before < cut.panels; before += cut.at_once) {
      const Index panels = std::min(cut.at_once, cut.panels - before);
      const auto task_of = [&](Index panel, Index range) {
        const Index block = panel * cut.ranges + range;
        hot::LawTask task{};
        task.model = &model;
        task.point = &point;
        task.features = u.data();
        task.windows = laws_.windows;
        task.states = laws_.states;
        task.stride = laws_.stride;
        task.state = laws_.state.data();
        task.first = (before + panel) * cut.packs;
        task.packs = std::min(cut.packs, cut.all_packs - task.first);
        task.e = e[size(panel * panel_lines)].number;
        task.wide = wide.get() + panel * cut.packs;
        task.b = b[size(block * panel_lines)].number;
        task.with_loss = with_loss;
        task.with_gradient = with_gradient;
        task.sums = sums.data() + size(block) * numbers;
        task.u_bar = bars.data()->number + size(panel) * bar_lines * hot::pack;
        return task;
      };
      const auto run = [&](hot::LawTask task, auto& function) {
        task.scratch = scratch_of_thread(size(hot_.scratch[dual](task)));
        function[dual](task);
      };
      parallel_blocks(panels, [&](Index panel) { run(task_of(panel, 0), hot_.forward); });
      parallel_blocks(panels * cut.ranges, [&](Index block) {
        const Index range = block % cut.ranges;
        hot::LawTask task = task_of(block / cut.ranges, range);
        if (with_gradient) std::fill_n(task.b, panel_lines * hot::pack, 0.0);
        const Index begin = cut.tiles * range / cut.ranges * hot::tile,
                    end = std::min(count, cut.tiles * (range + 1) / cut.ranges * hot::tile);
        for (Index chain = begin; chain < end; chain += hot::tile) {
          task.chains = std::min<Index>(hot::tile, end - chain);
          task.law = laws_.law.data() + (first + chain) * laws_.stride;
          task.next = laws_.next.data() + (first + chain) * model.d * laws_.states;
          run(task, hot_.chains);
        }
      });
      parallel_blocks(with_gradient ? panels : 0, [&](Index panel) {
        add_blocks(doubles(b.subspan(size(panel * cut.ranges * panel_lines),
                                     size(cut.ranges * panel_lines))),
                   size(panel_lines * hot::pack));
        run(task_of(panel, 0), hot_.backward);
      });
    }
    add_blocks(sums, numbers);
    Share out;
    Gradient* derivative = dual ? &out.derivative : nullptr;
    tables_.gradient(sums.data(), static_cast<double>(of), at, {}, along, out.value, derivative,
                     with_loss);
    if (!with_gradient) return out;
    add_blocks(doubles(bars), bar_lines * hot::pack);
    features_->backward(
        at, along, static_cast<double>(of),
        [&](Index begin, Index end, double* to) {
          const Index pack = model_.heads * model_.vocabulary * u.parts * hot::pack;
          std::ranges::copy(doubles(bars).subspan(size(begin * pack), size((end - begin) * pack)),
                            to);
        },
        out.value, derivative);
    return out;
  }

  const hot::LawFunctions& hot_;
  Model model_;
  Parts parts_;
  Index of_;  ///< number of chains that means are over
  ModelTables tables_;
  WindowLaws laws_;
  std::optional<FeatureTable> features_;  ///< of all windows
};

}  // namespace

std::unique_ptr<PartedObjective> make_host_infinite_objective(const Model& model,
                                                              const Kernels& kernels,
                                                              const std::string& set,
                                                              Index part_size, Index of) {
  return std::make_unique<InfiniteObjective>(model, kernels, set, part_size, of);
}

}  // namespace gihflow
