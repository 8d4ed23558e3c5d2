// The objective in infinite context, formula (5.1), as matrix products: chains by windows, windows
// by queries, which are hot loops. Queries are taken in panels, chains in ranges; a panel's
// features and E are made once, its B is summed over ranges in their order, and then goes back
// through (4.3) and (4.5).

#include "gihflow/population/infinite.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <numeric>
#include <optional>

#include "base/make_fault.hpp"
#include "gihflow/base/digits.hpp"
#include "gihflow/base/errors.hpp"
#include "gihflow/base/memory.hpp"
#include "gihflow/base/parallel.hpp"
#include "gihflow/base/size.hpp"
#include "population/engines.hpp"
#include "population/features.hpp"
#include "population/infinite_cut.hpp"
#include "population/infinite_numbers.hpp"
#include "population/instruction_sets.hpp"
#include "population/model_tables.hpp"

namespace gihflow {

namespace {

using namespace infinite;

class InfiniteObjective final : public PartedObjective {
 public:
  InfiniteObjective(const Model& model, const Kernels& kernels, const std::string& set,
                    Index part_size, Index of)
      : laws_(hot_loops(set).laws),
        model_(model),
        parts_{kernels.count, part_size},
        of_(of == 0 ? kernels.count : of),
        cut_(model, parts_.chains_of(0)),
        windows_(cut_.windows),
        tables_(model, false) {
    check_memory(kernels);
    const Model all = without_boundary(model);
    features_.emplace(all, WindowCode(all), all_windows(windows_), std::span<const std::uint64_t>(),
                      set);
    joint_ = window_laws(model, kernels);
  }

  const Model& model() const override { return model_; }
  Index chains() const override { return parts_.chains; }
  std::string engine() const override { return "infinite"; }
  std::size_t memory() const override { return joint_.size() * sizeof(double); }

  std::vector<Share> shares(const Point& at, const Point* along, Wanted wanted) const override {
    const bool with_loss = wanted != Wanted::gradient;
    return along ? shares_of<Along>(at, along, with_loss) : shares_of<Plain>(at, along, with_loss);
  }

  std::vector<Moments> moments(const Parameters& at) const override {
    std::vector<Moments> out;
    for (Index i = 0; i < parts_.count(); ++i) out.push_back(moments_of(i, at));
    return out;
  }

 private:
  Moments moments_of(Index number, const Parameters& at) const {
    const Index before = parts_.first(number), chains = parts_.chains_of(number);
    const Point point = point_of(at);
    const Numbers<Plain> numbers = numbers_of<Plain>(point, nullptr);
    const std::vector<Grid> u = features_of<Plain>(point, nullptr);
    std::vector<std::vector<double>> sums(size(chains),
                                          std::vector<double>(size(tables_.sums()), 0.0));
    std::vector<PlainBlocks> blocks(size(chains), zeros_like(point));
    for (Index first = 0; first < cut_.panels; first += cut_.at_once) {
      const std::vector<Panel<Plain>> panels = panels_of(numbers, u, first);
      parallel_ranges(chains, 16, [&](Index begin, Index end) {
        Gradient g;
        for (Index i = begin; i < end; ++i) {
          std::vector<Grid> u_bar = zero_features<Plain>();
          for (const Panel<Plain>& panel : panels) {
            Grid b = Grid::Zero(windows_, panel.count);
            sums[size(i)][hot::partial_loss] +=
                chains_through(panel, before + i, before + i + 1, true, b);
            add_entries(sums[size(i)], pairs_backward(numbers, u, panel, b, u_bar));
          }
          back(point, nullptr, 1.0, u_bar, g, nullptr);
          for (const PlainArray& array : plain_arrays) {
            const std::span<double> sum = array.of(blocks[size(i)]);
            const std::span<const double> part = array.in(g);
            if (array.letter != 'a')
              for (std::size_t k = 0; k < sum.size(); ++k) sum[k] += part[k];
          }
        }
      });
    }
    std::vector<double> rows(size(chains * row_size(model_)));
    parallel_ranges(chains, 64, [&](Index begin, Index end) {
      Gradient g;
      for (Index i = begin; i < end; ++i) {
        tables_.gradient(sums[size(i)].data(), 1.0, point, {}, nullptr, g, nullptr, true);
        const double slope_in_a = g.a;
        static_cast<PlainBlocks&>(g) = blocks[size(i)];
        g.a = slope_in_a;
        write_row(at, g, rows.data() + i * row_size(model_));
      }
    });
    return moments_of_rows(rows, row_size(model_));
  }

  void check_memory(const Kernels& kernels) const {
    const double needed =
        infinite_objective_memory(model_, parts_.chains, kernels.longest_lag()).peak;
    const double limit = static_cast<double>(memory_limit());
    if (needed > limit)
      throw InputError(fault("infinite context,",
                             fmt::format("{} chains with {} windows of {} tokens", parts_.chains,
                                         windows_, model_.widest()),
                             "need {:.1f} GiB of memory: must not exceed {:.1f} GiB",
                             needed / 0x1p30, limit / 0x1p30));
  }

  /// Partial windows do not exist in infinite context.
  static Model without_boundary(Model model) {
    model.boundary = Boundary::masked;
    return model;
  }

  template <class N>
  std::vector<Share> shares_of(const Point& at, const Point* along, bool with_loss) const {
    const double chains = static_cast<double>(of_);
    std::vector<Share> out;
    for (const Sums<N>& sums :
         evaluate(numbers_of<N>(at, along), features_of<N>(at, along), with_loss)) {
      Share& share = out.emplace_back();
      Gradient* derivative = along ? &share.derivative : nullptr;
      tables_.gradient(sums.numbers.data(), chains, at, {}, along, share.value, derivative,
                       with_loss);
      back(at, along, chains, sums.u_bar, share.value, derivative);
    }
    return out;
  }

  template <class N>
  static Numbers<N> numbers_of(const Point& at, const Point* along) {
    Numbers<N> numbers;
    numbers.p.resize(at.p.size());
    for (std::size_t i = 0; i < at.p.size(); ++i)
      join(numbers.p[i], at.p[i], along ? along->p[i] : 0.0);
    join(numbers.a, at.a, along ? along->a : 0.0);
    return numbers;
  }

  /// u of every head in all windows, [d^W, d] each.
  template <class N>
  std::vector<typename N::Grid> features_of(const Point& at, const Point* along) const {
    const Features u = features_->forward(at, along);
    std::vector<typename N::Grid> out = zero_features<N>();
    for (Index h = 0; h < model_.heads; ++h)
      for (Index e = 0; e < model_.vocabulary; ++e)
        for (Index z = 0; z < windows_; ++z)
          for (Index part = 0; part < N::parts; ++part)
            number(out[size(h)], z, e, part) = u.at(h * model_.vocabulary + e, z, part);
    return out;
  }
  template <class N>
  std::vector<typename N::Grid> zero_features() const {
    std::vector<typename N::Grid> out(size(model_.heads));
    for (typename N::Grid& grid : out) constant(grid, windows_, model_.vocabulary, 0.0);
    return out;
  }
  template <class G>
  void back(const Point& at, const Point* along, double chains, const std::vector<G>& u_bar,
            Gradient& out, Gradient* derivative) const {
    features_->backward(
        at, along, chains,
        [&](Index begin, Index end, double* to) {
          for (Index pack = begin; pack < end; ++pack)
            for (const G& grid : u_bar)
              for (Index e = 0; e < model_.vocabulary; ++e)
                for (Index part = 0; part < (along ? 2 : 1); ++part)
                  for (Index z = pack * hot::pack; z < (pack + 1) * hot::pack; ++z, ++to)
                    *to = z < windows_ ? number(grid, z, e, part) : 0.0;
        },
        out, derivative);
  }

  /// The panels first, first + 1, … that are held at once.
  template <class N>
  std::vector<Panel<N>> panels_of(const Numbers<N>& at, const std::vector<typename N::Grid>& u,
                                  Index first) const {
    std::vector<Panel<N>> panels(size(std::min(cut_.at_once, cut_.panels - first)));
    parallel_blocks(static_cast<Index>(panels.size()), [&](Index i) {
      Panel<N>& panel = panels[size(i)];
      panel.first = (first + i) * cut_.panel;
      panel.count = std::min(cut_.panel, windows_ - panel.first);
      features(at, u, panel);
    });
    return panels;
  }

  template <class N>
  void features(const Numbers<N>& at, const std::vector<typename N::Grid>& u,
                Panel<N>& panel) const {
    for (const typename N::Grid& of_head : u) {
      panel.t.push_back(product(of_head, transposed(rows_of(of_head, panel.first, panel.count))));
      if (model_.rectify) panel.slope.push_back(rectify(model_.rectify_width, panel.t.back()));
    }
    const hot::ModelView m = tables_.view();
    panel.kappa.resize(size(m.subsets));
    constant(panel.kappa[0], windows_, panel.count, 1.0);
    panel.k = at.p[0] * panel.kappa[0];
    for (std::size_t s = 1; s < panel.kappa.size(); ++s) {
      panel.kappa[s] = panel.kappa[size(m.parent[s])] * panel.t[size(m.last[s])];
      panel.k = panel.k + at.p[s] * panel.kappa[s];
    }
    panel.x = at.a * panel.k;
    const Row top = value(panel.x).colwise().maxCoeff();
    const Row spread = top - value(panel.x).colwise().minCoeff();
    // Not finite: the unshifted path carries NaN through to the result.
    panel.wide = spread.isFinite().all() && spread.maxCoeff() > hot::widest_spread;
    panel.e = minus(panel.x, Grid(top.replicate(windows_, 1)));
    panel.e = exponential(panel.e);
    if (panel.wide) return;
    panel.packed_e.resize(size(packs_of(panel.count) * windows_ * N::parts));
    to_packs(panel.e, panel.packed_e.front().number);
  }

  /// Sums over the chains of a part and pairs.
  template <class N>
  struct Sums {
    std::vector<double> numbers;          ///< as ModelTables::gradient() takes them
    std::vector<typename N::Grid> u_bar;  ///< ∂/∂u
  };

  /// Of every part.
  template <class N>
  std::vector<Sums<N>> evaluate(const Numbers<N>& at, const std::vector<typename N::Grid>& u,
                                bool with_loss) const {
    std::vector<Sums<N>> out(
        size(parts_.count()),
        {std::vector<double>(size(tables_.sums() * N::parts), 0.0), zero_features<N>()});
    for (Index first = 0; first < cut_.panels; first += cut_.at_once) {
      const std::vector<Panel<N>> panels = panels_of(at, u, first);
      for (Index part = 0; part < parts_.count(); ++part)
        add_part(at, u, panels, part, with_loss, out[size(part)]);
    }
    return out;
  }

  /// Adds what the chains of a part give at the queries of some panels.
  template <class N>
  void add_part(const Numbers<N>& at, const std::vector<typename N::Grid>& u,
                const std::vector<Panel<N>>& panels, Index part, bool with_loss,
                Sums<N>& to) const {
    const Cut cut(model_, parts_.chains_of(part));
    const Index count = static_cast<Index>(panels.size());
    const Index before = parts_.first(part), behind = before + parts_.chains_of(part);
    std::vector<typename N::Grid> b(size(count * cut.ranges));
    std::vector<double> losses(b.size());
    parallel_blocks(count * cut.ranges, [&](Index block) {
      const Panel<N>& panel = panels[size(block / cut.ranges)];
      const Index range = block % cut.ranges;
      const Index begin = before + cut.tiles * range / cut.ranges * cut.tile;
      const Index end = std::min(behind, before + cut.tiles * (range + 1) / cut.ranges * cut.tile);
      constant(b[size(block)], windows_, panel.count, 0.0);
      losses[size(block)] = chains_through(panel, begin, end, with_loss, b[size(block)]);
    });
    std::vector<std::vector<double>> sums(panels.size());
    std::vector<std::vector<typename N::Grid>> bars(panels.size(), zero_features<N>());
    parallel_blocks(count, [&](Index i) {
      typename N::Grid& sum_of_b = b[size(i * cut.ranges)];
      for (Index range = 1; range < cut.ranges; ++range)
        sum_of_b = sum_of_b + b[size(i * cut.ranges + range)];
      sums[size(i)] = pairs_backward(at, u, panels[size(i)], sum_of_b, bars[size(i)]);
    });
    for (const std::vector<double>& some : sums) add_entries(to.numbers, some);
    for (const auto& bar : bars)
      for (std::size_t h = 0; h < bar.size(); ++h) to.u_bar[h] = to.u_bar[h] + bar[h];
    to.numbers[hot::partial_loss] += std::accumulate(losses.begin(), losses.end(), 0.0);
  }

  /// [chains · d, d^W] joint laws of the chains from `begin` on: rows chain by chain, one a token.
  GridMap joint(Index begin, Index end) const {
    const Index d = model_.vocabulary;
    return {joint_.data() + begin * d * windows_, (end - begin) * d, windows_};
  }

  /// The loss of chains [begin, end) at the queries of a panel. Adds to b what B is the product of
  /// with E or, where the panel is wide, B itself.
  template <class N>
  double chains_through(const Panel<N>& panel, Index begin, Index end, bool with_loss,
                        typename N::Grid& b) const {
    if (panel.wide) {
      double loss = 0.0;
      for (Index chain = begin; chain < end; ++chain)
        loss += chain_shifted<N>(panel, joint(chain, chain + 1), with_loss, b);
      return loss;
    }
    const Index packs = packs_of(panel.count) * N::parts;
    const Index sums = packs * windows_ * hot::pack, d = model_.vocabulary;
    double* scratch = scratch_of_thread(size(sums + packs * cut_.tile * d * hot::pack));
    std::fill_n(scratch, sums, 0.0);
    hot::LawTask task{};
    task.d = d;
    task.windows = windows_;
    task.first_query = panel.first;
    task.queries = panel.count;
    task.e = panel.packed_e.front().number;
    task.softmax = model_.readout == Readout::softmax;
    task.epsilon = model_.epsilon;
    task.with_loss = with_loss;
    task.b = scratch;
    task.scratch = scratch + sums;
    for (Index first = begin; first < end; first += cut_.tile) {
      task.chains = std::min(cut_.tile, end - first);
      task.joint = joint(first, end).data();
      laws_.run[N::parts - 1](task);
    }
    add_packs(b, scratch);
    return task.loss;
  }

  /// The same for one chain with every sum over windows in logarithms: with ω_e(Z) the share of Z
  /// in Σ_Z μ(Z,e)E(Z,q), ∂log y(e)/∂(a·k(Z,q)) = ω_e(Z) − Σ_e y(e)ω_e(Z).
  template <class N>
  double chain_shifted(const Panel<N>& panel, const GridMap& j, bool with_loss,
                       typename N::Grid& b) const {
    using S = typename N::Scalar;
    using C = typename N::Column;
    const Index d = model_.vocabulary;
    const Grid logs = j.log();
    double loss = 0.0;
    for (Index query = 0; query < panel.count; ++query) {
      const Column target = j.col(panel.first + query);
      const double mass = target.sum();
      if (!(mass > 0.0)) continue;
      std::vector<Index> tokens;
      std::vector<C> omega;
      std::vector<S> level, y;
      for (Index e = 0; e < d; ++e) {
        if (!(j.row(e).maxCoeff() > 0.0)) continue;
        C height = column(panel.x, query);
        height = minus(height, Column(-logs.row(e).transpose()));
        const double top = value(height).maxCoeff();
        C weight = exponential(C(minus(height, Column(Column::Constant(windows_, top)))));
        const S total = sum(weight);
        weight = over(1.0, total) * weight;
        tokens.push_back(e);
        omega.push_back(weight);
        level.push_back(minus(logarithm(total), -top));
      }
      double top = value(level[0]);
      for (const S& x : level) top = std::max(top, value(x));
      S den = exponential(S(minus(level[0], top)));
      for (std::size_t i = 1; i < level.size(); ++i)
        den = den + exponential(S(minus(level[i], top)));
      for (const S& x : level) y.push_back(exponential(S(minus(x, top))) / den);

      // ρ(e) = r(e)·y(e).
      std::vector<S> rho;
      S mean = den * 0.0;
      S total = mean;
      if (model_.readout == Readout::softmax) {
        // Tokens without mass anywhere have y = 0.
        total = total + static_cast<double>(d - static_cast<Index>(tokens.size()));
        for (const S& x : y) total = total + exponential(x);
        if (with_loss) loss += mass * std::log(value(total));
      }
      for (std::size_t i = 0; i < tokens.size(); ++i) {
        const double t = target[tokens[i]];
        if (model_.readout == Readout::softmax) {
          if (with_loss) loss -= t * value(y[i]);
          rho.push_back(minus(S(exponential(y[i]) / total * mass), t) * y[i]);
        } else if (model_.epsilon > 0.0) {
          const S smoothed = y[i] + model_.epsilon;
          if (with_loss)
            loss -= t * std::log(value(smoothed) / (1.0 + static_cast<double>(d) * model_.epsilon));
          rho.push_back(y[i] / smoothed * -t);
        } else {
          if (with_loss) loss -= t * (value(level[i]) - top - std::log(value(den)));
          rho.push_back(den * 0.0 + -t);
        }
        mean = mean + rho.back();
      }
      for (std::size_t i = 0; i < tokens.size(); ++i)
        add_column(b, query, (rho[i] - mean * y[i]) * omega[i]);
    }
    return loss;
  }

  /// From what chains_through leaves in b to ΣB·k and ΣB·κ_S, (4.3); ∂/∂u is added to u_bar.
  template <class N>
  std::vector<double> pairs_backward(const Numbers<N>& at, const std::vector<typename N::Grid>& u,
                                     const Panel<N>& panel, typename N::Grid& b,
                                     std::vector<typename N::Grid>& u_bar) const {
    using G = typename N::Grid;
    const hot::ModelView m = tables_.view();
    std::vector<double> sums(size(tables_.sums() * N::parts), 0.0);
    const auto put_sum = [&](Index i, const auto& x) { split(x, sums.data() + i, tables_.sums()); };
    if (!panel.wide) b = b * panel.e;
    put_sum(hot::partial_a, sum(G(b * panel.k)));
    std::vector<G> kappa_bar(panel.kappa.size()), t_bar(u.size());
    for (std::size_t s = 0; s < kappa_bar.size(); ++s) {
      put_sum(hot::partial_p + static_cast<Index>(s), sum(G(b * panel.kappa[s])));
      kappa_bar[s] = at.p[s] * b;
    }
    for (G& bar : t_bar) constant(bar, windows_, panel.count, 0.0);
    for (std::size_t s = kappa_bar.size() - 1; s > 0; --s) {
      const std::size_t rest = size(m.parent[s]), h = size(m.last[s]);
      t_bar[h] = t_bar[h] + kappa_bar[s] * panel.kappa[rest];
      kappa_bar[rest] = kappa_bar[rest] + kappa_bar[s] * panel.t[h];
    }
    for (std::size_t h = 0; h < u.size(); ++h) {
      G g = at.a * t_bar[h];
      if (model_.rectify) g = g * panel.slope[h];
      u_bar[h] = u_bar[h] + product(g, rows_of(u[h], panel.first, panel.count));
      add_rows(u_bar[h], panel.first, product(transposed(g), u[h]));
    }
    return sums;
  }

  const hot::LawFunctions& laws_;
  Model model_;
  Parts parts_;
  Index of_;       ///< chains of the mean
  Cut cut_;        ///< of the first part; panels are those of all
  Index windows_;  ///< d^W, W the number of lags that the model uses
  ModelTables tables_;
  std::optional<FeatureTable> features_;  ///< of all windows
  std::vector<double> joint_;             ///< [N, d, d^W] μ^π(Z, e)
};

}  // namespace

std::unique_ptr<PartedObjective> make_host_infinite_objective(const Model& model,
                                                              const Kernels& kernels,
                                                              const std::string& set,
                                                              Index part_size, Index of) {
  return std::make_unique<InfiniteObjective>(model, kernels, set, part_size, of);
}

}  // namespace gihflow
