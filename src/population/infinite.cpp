// The objective in infinite context, formula (5.1), as matrix products: chains by windows, windows
// by queries, which are hot loops. Queries are taken in panels, chains in ranges; a panel's
// features and E are made once, its B is summed over ranges in their order, and then goes back
// through (4.3) and (4.5).

#include "gihflow/population/infinite.hpp"

#include <fmt/format.h>

#include <Eigen/Core>
#include <algorithm>
#include <bit>
#include <limits>
#include <numeric>

#include "gihflow/base/digits.hpp"
#include "gihflow/base/errors.hpp"
#include "gihflow/base/memory.hpp"
#include "gihflow/base/parallel.hpp"
#include "gihflow/base/size.hpp"
#include "gihflow/base/subsets.hpp"
#include "gihflow/chain/stationary.hpp"
#include "population/dual.hpp"
#include "population/engines.hpp"
#include "population/instruction_sets.hpp"

namespace gihflow {

namespace {

constexpr Index widest_panel = 32;    // queries
constexpr double panel_bytes = 16e6;  // what the features of a panel may take
constexpr Index panels_at_once = 8;
constexpr Index blocks_at_once = 64;  // of a panel and a range of chains
constexpr Index tile_rows = 128;      // (chain, token) rows of one matrix product, about
constexpr Index tile_chains = 8;      // a tile has a multiple of
// Above this spread of a·k over windows e^{a·k} would underflow for a chain that lacks the best
// windows: every chain and query is then shifted by its own maximum.
constexpr double widest_spread = 600.0;
constexpr double norm_guard = 1e-7;  // of (4.5)

using Grid = Eigen::Array<double, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor>;
using Row = Eigen::Array<double, 1, Eigen::Dynamic, Eigen::RowMajor, 1, widest_panel>;
using Column = Eigen::ArrayXd;
using GridMap = Eigen::Map<const Grid>;

/// The numbers of an evaluation: values alone, or values with their derivative.
struct Plain {
  static constexpr Index parts = 1;
  using Scalar = double;
  using Column = gihflow::Column;
  using Grid = gihflow::Grid;
};
struct Along {
  static constexpr Index parts = 2;
  using Scalar = Dual<double>;
  using Column = Dual<gihflow::Column>;
  using Grid = Dual<gihflow::Grid>;
};

void constant(double& x, double value) {
  x = value;
}
void constant(Dual<double>& x, double value) {
  x = {value, 0.0};
}
void constant(Grid& x, Index rows, Index columns, double value) {
  x.setConstant(rows, columns, value);
}
void constant(Dual<Grid>& x, Index rows, Index columns, double value) {
  constant(x.v, rows, columns, value);
  constant(x.d, rows, columns, 0.0);
}

Grid product(const Grid& x, const Grid& y) {
  return (x.matrix() * y.matrix()).array();
}
Dual<Grid> product(const Dual<Grid>& x, const Dual<Grid>& y) {
  return {product(x.v, y.v), product(x.v, y.d) + product(x.d, y.v)};
}
template <class G>
G transposed(const G& x) {
  return linear([](const Grid& g) { return Grid(g.transpose()); }, x);
}
template <class G>
G rows_of(const G& x, Index first, Index count) {
  return linear([&](const Grid& g) { return Grid(g.middleRows(first, count)); }, x);
}
template <class G>
G row_sums(const G& x) {
  return linear([](const Grid& g) { return Grid(g.rowwise().sum()); }, x);
}
template <class G>
auto sum(const G& x) {
  return linear([](const auto& g) { return g.sum(); }, x);
}
/// One column, `columns` times.
template <class G>
G repeated(const G& x, Index columns) {
  return linear([&](const Grid& g) { return Grid(g.replicate(1, columns)); }, x);
}

Column column(const Grid& x, Index i) {
  return x.col(i);
}
Dual<Column> column(const Dual<Grid>& x, Index i) {
  return {x.v.col(i), x.d.col(i)};
}
void add_column(Grid& x, Index i, const Column& y) {
  x.col(i) += y;
}
void add_column(Dual<Grid>& x, Index i, const Dual<Column>& y) {
  x.v.col(i) += y.v;
  x.d.col(i) += y.d;
}

/// Packs of queries as hot::LawTask has them, [packs, windows, parts, pack]: `parts` is 1, or 2 for
/// values and derivatives.
Index packs_of(Index queries) {
  return (queries + hot::pack - 1) / hot::pack;
}
double* pack_of(double* packs, Index windows, Index parts, Index part, Index window, Index query) {
  return packs + ((query / hot::pack * windows + window) * parts + part) * hot::pack +
         query % hot::pack;
}
void to_packs(const Grid& x, double* packs, Index parts = 1, Index part = 0) {
  for (Index z = 0; z < x.rows(); ++z)
    for (Index q = 0; q < packs_of(x.cols()) * hot::pack; ++q)
      *pack_of(packs, x.rows(), parts, part, z, q) =
          q < x.cols() ? x(z, q) : (part == 0 ? 1.0 : 0.0);
}
void to_packs(const Dual<Grid>& x, double* packs) {
  to_packs(x.v, packs, 2, 0);
  to_packs(x.d, packs, 2, 1);
}
void add_packs(Grid& x, double* packs, Index parts = 1, Index part = 0) {
  for (Index z = 0; z < x.rows(); ++z)
    for (Index q = 0; q < x.cols(); ++q) x(z, q) += *pack_of(packs, x.rows(), parts, part, z, q);
}
void add_packs(Dual<Grid>& x, double* packs) {
  add_packs(x.v, packs, 2, 0);
  add_packs(x.d, packs, 2, 1);
}

/// (p, σ, a) of an evaluation.
template <class N>
struct Numbers {
  using Scalar = typename N::Scalar;
  std::vector<Scalar> p, sigma;  // [subsets], [H, M]
  Scalar a;
};

/// v^{(h)} and u^{(h)} of all windows, [d^W, d], and with l2 the column of norms, (4.5).
template <class N>
struct Head {
  typename N::Grid v, u, norm, scale;
};

/// Features of all windows beside the queries of one panel, [d^W, count] each.
template <class N>
struct Panel {
  Index first = 0, count = 0;
  std::vector<typename N::Grid> t, kappa;  // t_h; κ_S = Π_{h∈S} t_h
  typename N::Grid k, x, e;                // k; a·k; E, each query shifted by its largest a·k
  std::vector<hot::Line> packed_e;         // E as the hot loops take it
  bool wide = false;
};

/// Sums over chains and pairs: loss, ΣB·k, ΣB·κ_S [subsets], ∂/∂σ [H, M].
template <class N>
struct Sums {
  using Scalar = typename N::Scalar;
  double loss = 0.0;
  Scalar a;
  std::vector<Scalar> p, sigma;

  Sums(Index subsets, Index logits) : p(size(subsets)), sigma(size(logits)) {
    constant(a, 0.0);
    for (Scalar& x : p) constant(x, 0.0);
    for (Scalar& x : sigma) constant(x, 0.0);
  }
  void add(const Sums& other) {
    loss += other.loss;
    a = a + other.a;
    for (std::size_t i = 0; i < p.size(); ++i) p[i] = p[i] + other.p[i];
    for (std::size_t i = 0; i < sigma.size(); ++i) sigma[i] = sigma[i] + other.sigma[i];
  }
};

void write(double x, double& v, double*) {
  v = x;
}
void write(const Dual<double>& x, double& v, double* d) {
  v = x.v;
  if (d) *d = x.d;
}
template <class Scalar>
void write(const std::vector<Scalar>& x, std::vector<double>& v, std::vector<double>* d) {
  v.resize(x.size());
  if (d) d->resize(x.size());
  for (std::size_t i = 0; i < x.size(); ++i) write(x[i], v[i], d ? d->data() + i : nullptr);
}

class InfiniteObjective final : public Objective {
 public:
  InfiniteObjective(const Model& model, const Kernels& kernels, const std::string& set)
      : laws_(hot_loops(set).laws),
        model_(model),
        chains_(kernels.count),
        windows_(power(model.vocabulary, model.widest(), "windows")),
        masks_(subsets(model.heads, model.degree)) {
    const Index d = model.vocabulary, W = model.widest(), S = model.subsets();
    for (std::uint32_t mask : masks_) {
      const std::uint32_t last = mask == 0 ? 0 : std::bit_floor(mask);
      parent_.push_back(subset_index(mask & ~last, model.heads));
      last_.push_back(mask == 0 ? 0 : std::countr_zero(last));
    }
    const double column_bytes =
        8.0 * static_cast<double>(windows_) * static_cast<double>(S + model.heads + 4);
    panel_ = std::clamp(static_cast<Index>(panel_bytes / column_bytes), Index{1},
                        std::min(widest_panel, windows_));
    panels_ = (windows_ + panel_ - 1) / panel_;
    at_once_ = std::min(panels_, panels_at_once);
    tile_ = std::max(Index{1}, tile_rows / d / tile_chains) * tile_chains;
    const Index tiles = (chains_ + tile_ - 1) / tile_;
    ranges_ = std::min(tiles, (blocks_at_once + at_once_ - 1) / at_once_);
    check_memory(kernels, column_bytes);

    digits_.resize(size(windows_ * W));
    for (Index z = 0; z < windows_; ++z) {
      Index rest = z;
      for (Index j = W; j-- > 0; rest /= d) digits_[size(z * W + j)] = static_cast<Token>(rest % d);
    }
    joint_ = window_laws(model, kernels);
  }

  const Model& model() const override { return model_; }
  Index chains() const override { return chains_; }
  std::string engine() const override { return "infinite"; }
  std::size_t memory() const override { return joint_.size() * sizeof(double); }

  double loss(const Point& at) const override {
    Gradient out;
    gradient(at, out, true);
    return out.loss;
  }

  void gradient(const Point& at, Gradient& out, bool with_loss) const override {
    const Numbers<Plain> numbers = numbers_of(at);
    finish(evaluate(numbers, with_loss), numbers, static_cast<double>(chains_), out, nullptr);
    if (!with_loss) out.loss = std::numeric_limits<double>::quiet_NaN();
  }

  void gradient_along(const Point& at, const Point& along, Gradient& out,
                      Gradient& derivative) const override {
    const Numbers<Along> numbers = numbers_of(at, along);
    finish(evaluate(numbers, true), numbers, static_cast<double>(chains_), out, &derivative);
    auto dot = [](const std::vector<double>& x, const std::vector<double>& y) {
      return std::inner_product(x.begin(), x.end(), y.begin(), 0.0);
    };
    derivative.loss = dot(out.p, along.p) + dot(out.w, along.w) + out.a * along.a;
  }

  StandardErrors standard_errors(const Parameters& at) const override {
    const Numbers<Plain> numbers = numbers_of(point_of(at));
    const std::vector<Head<Plain>> heads = heads_of(numbers);
    const Index subsets = model_.subsets(), logits = model_.heads * model_.window;
    std::vector<Sums<Plain>> sums(size(chains_), Sums<Plain>(subsets, logits));
    for (Index first = 0; first < panels_; first += at_once_) {
      const std::vector<Panel<Plain>> panels = panels_of(numbers, heads, first);
      parallel_ranges(chains_, 16, [&](Index begin, Index end) {
        for (Index i = begin; i < end; ++i)
          for (const Panel<Plain>& panel : panels) {
            Grid b = Grid::Zero(windows_, panel.count);
            sums[size(i)].loss += chains_through(panel, i, i + 1, true, b);
            sums[size(i)].add(pairs_backward(numbers, heads, panel, b));
          }
      });
    }
    std::vector<double> rows(size(chains_ * (2 + subsets + logits)));
    parallel_ranges(chains_, 64, [&](Index begin, Index end) {
      Gradient g;
      for (Index i = begin; i < end; ++i) {
        finish(sums[size(i)], numbers, 1.0, g, nullptr);
        write_row(at, g, rows.data() + i * (2 + subsets + logits));
      }
    });
    return errors_of_rows(rows, chains_, subsets, logits);
  }

 private:
  /// What the laws and a dual evaluation take, before anything is allocated.
  void check_memory(const Kernels& kernels, double column_bytes) const {
    const double entries =
        8.0 * static_cast<double>(windows_) * static_cast<double>(model_.vocabulary);
    const double laws = entries * static_cast<double>(chains_);
    const double work = 2.0 * static_cast<double>(panel_ * at_once_) *
                        (column_bytes + 8.0 * static_cast<double>(windows_ * ranges_));
    const double states = static_cast<double>(
        power(model_.vocabulary, kernels.longest_lag(), "states of the stationary law"));
    const double needed = laws + work + threads() * (3.0 * entries + 16.0 * states * states);
    const double limit = static_cast<double>(memory_limit());
    if (needed > limit)
      throw InputError(
          fmt::format("infinite context, {} chains with {} windows of {} tokens: need {:.1f} "
                      "GiB of memory: must not exceed {:.1f} GiB",
                      chains_, windows_, model_.widest(), needed / 0x1p30, limit / 0x1p30));
  }

  Numbers<Plain> numbers_of(const Point& at) const {
    Numbers<Plain> numbers{at.p, {}, at.a};
    for (Index h = 0; h < model_.heads; ++h) {
      const auto row =
          softmax(std::span(at.w).subspan(size(h * model_.window), size(model_.window)));
      numbers.sigma.insert(numbers.sigma.end(), row.begin(), row.end());
    }
    return numbers;
  }

  Numbers<Along> numbers_of(const Point& at, const Point& along) const {
    const Numbers<Plain> values = numbers_of(at);
    Numbers<Along> numbers{{}, {}, {at.a, along.a}};
    for (std::size_t i = 0; i < at.p.size(); ++i) numbers.p.push_back({at.p[i], along.p[i]});
    const Index M = model_.window;
    for (Index h = 0; h < model_.heads; ++h) {
      const double* sigma = values.sigma.data() + h * M;
      const double* direction = along.w.data() + h * M;
      const double mean = std::inner_product(sigma, sigma + M, direction, 0.0);
      for (Index i = 0; i < M; ++i)
        numbers.sigma.push_back({sigma[i], sigma[i] * (direction[i] - mean)});
    }
    return numbers;
  }

  /// Token at component i of head h in window z.
  Token seen(Index z, Index head, Index i) const {
    return digits_[size(z * model_.widest() + model_.lag(head, i) - 1)];
  }
  /// v of head h in all windows from its attention, (2.1), and the transpose of that map.
  Grid scatter(Index head, const double* sigma) const {
    Grid v = Grid::Zero(windows_, model_.vocabulary);
    for (Index z = 0; z < windows_; ++z)
      for (Index i = 0; i < model_.window; ++i) v(z, seen(z, head, i)) += sigma[i];
    return v;
  }
  void scatter(Index head, const std::vector<double>& sigma, Grid& v) const {
    v = scatter(head, sigma.data() + head * model_.window);
  }
  void scatter(Index head, const std::vector<Dual<double>>& sigma, Dual<Grid>& v) const {
    std::vector<double> values, tangents;
    for (Index i = 0; i < model_.window; ++i) {
      values.push_back(sigma[size(head * model_.window + i)].v);
      tangents.push_back(sigma[size(head * model_.window + i)].d);
    }
    v = {scatter(head, values.data()), scatter(head, tangents.data())};
  }
  template <class G>
  auto gather(Index head, Index i, const G& v_bar) const {
    return linear(
        [&](const Grid& g) {
          double total = 0.0;
          for (Index z = 0; z < windows_; ++z) total += g(z, seen(z, head, i));
          return total;
        },
        v_bar);
  }

  template <class N>
  std::vector<Head<N>> heads_of(const Numbers<N>& at) const {
    const Index d = model_.vocabulary;
    std::vector<Head<N>> heads(size(model_.heads));
    for (Index h = 0; h < model_.heads; ++h) {
      Head<N>& head = heads[size(h)];
      scatter(h, at.sigma, head.v);
      if (model_.head_normalization == HeadNormalization::l2) {
        head.norm = square_root(row_sums<typename N::Grid>(head.v * head.v));
        head.scale = head.norm + norm_guard;
        head.u = head.v / repeated(head.scale, d);
      } else {
        head.u = head.v;
      }
    }
    return heads;
  }

  /// The panels first, first + 1, … that are held at once.
  template <class N>
  std::vector<Panel<N>> panels_of(const Numbers<N>& at, const std::vector<Head<N>>& heads,
                                  Index first) const {
    std::vector<Panel<N>> panels(size(std::min(at_once_, panels_ - first)));
    parallel_blocks(static_cast<Index>(panels.size()), [&](Index i) {
      Panel<N>& panel = panels[size(i)];
      panel.first = (first + i) * panel_;
      panel.count = std::min(panel_, windows_ - panel.first);
      features(at, heads, panel);
    });
    return panels;
  }

  template <class N>
  void features(const Numbers<N>& at, const std::vector<Head<N>>& heads, Panel<N>& panel) const {
    for (const Head<N>& head : heads)
      panel.t.push_back(product(head.u, transposed(rows_of(head.u, panel.first, panel.count))));
    panel.kappa.resize(masks_.size());
    constant(panel.kappa[0], windows_, panel.count, 1.0);
    panel.k = at.p[0] * panel.kappa[0];
    for (std::size_t s = 1; s < masks_.size(); ++s) {
      panel.kappa[s] = panel.kappa[size(parent_[s])] * panel.t[size(last_[s])];
      panel.k = panel.k + at.p[s] * panel.kappa[s];
    }
    panel.x = at.a * panel.k;
    const Row top = value(panel.x).colwise().maxCoeff();
    const Row spread = top - value(panel.x).colwise().minCoeff();
    // Not finite: the unshifted path carries NaN through to the result.
    panel.wide = spread.isFinite().all() && spread.maxCoeff() > widest_spread;
    panel.e = minus(panel.x, Grid(top.replicate(windows_, 1)));
    panel.e = exponential(panel.e);
    if (panel.wide) return;
    panel.packed_e.resize(size(packs_of(panel.count) * windows_ * N::parts));
    to_packs(panel.e, panel.packed_e.front().number);
  }

  template <class N>
  Sums<N> evaluate(const Numbers<N>& at, bool with_loss) const {
    const std::vector<Head<N>> heads = heads_of(at);
    const Index tiles = (chains_ + tile_ - 1) / tile_;
    Sums<N> total(model_.subsets(), model_.heads * model_.window);
    for (Index first = 0; first < panels_; first += at_once_) {
      const std::vector<Panel<N>> panels = panels_of(at, heads, first);
      const Index count = static_cast<Index>(panels.size());
      std::vector<typename N::Grid> b(size(count * ranges_));
      std::vector<double> losses(b.size());
      parallel_blocks(count * ranges_, [&](Index block) {
        const Panel<N>& panel = panels[size(block / ranges_)];
        const Index range = block % ranges_;
        const Index begin = tiles * range / ranges_ * tile_;
        const Index end = std::min(chains_, tiles * (range + 1) / ranges_ * tile_);
        constant(b[size(block)], windows_, panel.count, 0.0);
        losses[size(block)] = chains_through(panel, begin, end, with_loss, b[size(block)]);
      });
      std::vector<Sums<N>> sums(panels.size(), total);
      parallel_blocks(count, [&](Index i) {
        typename N::Grid& sum_of_b = b[size(i * ranges_)];
        for (Index range = 1; range < ranges_; ++range)
          sum_of_b = sum_of_b + b[size(i * ranges_ + range)];
        sums[size(i)] = pairs_backward(at, heads, panels[size(i)], sum_of_b);
      });
      for (const Sums<N>& some : sums) total.add(some);
      total.loss += std::accumulate(losses.begin(), losses.end(), 0.0);
    }
    return total;
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
    double* scratch = scratch_of_thread(size(sums + packs * tile_ * d * hot::pack));
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
    for (Index first = begin; first < end; first += tile_) {
      task.chains = std::min(tile_, end - first);
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

  /// From what chains_through leaves in b to ΣB·k, ΣB·κ_S and ∂/∂σ, formulas (4.3) and (4.5).
  template <class N>
  Sums<N> pairs_backward(const Numbers<N>& at, const std::vector<Head<N>>& heads,
                         const Panel<N>& panel, typename N::Grid& b) const {
    using G = typename N::Grid;
    const Index d = model_.vocabulary, H = model_.heads, M = model_.window;
    Sums<N> sums(model_.subsets(), H * M);
    if (!panel.wide) b = b * panel.e;
    sums.a = sum(G(b * panel.k));
    std::vector<G> kappa_bar(masks_.size()), t_bar(heads.size());
    for (std::size_t s = 0; s < masks_.size(); ++s) {
      sums.p[s] = sum(G(b * panel.kappa[s]));
      kappa_bar[s] = at.p[s] * b;
    }
    for (G& bar : t_bar) constant(bar, windows_, panel.count, 0.0);
    for (std::size_t s = masks_.size() - 1; s > 0; --s) {
      const std::size_t rest = size(parent_[s]), h = size(last_[s]);
      t_bar[h] = t_bar[h] + kappa_bar[s] * panel.kappa[rest];
      kappa_bar[rest] = kappa_bar[rest] + kappa_bar[s] * panel.t[h];
    }
    for (Index h = 0; h < H; ++h) {
      const Head<N>& head = heads[size(h)];
      const G g = at.a * t_bar[size(h)];
      G bar = product(g, rows_of(head.u, panel.first, panel.count));
      add_rows(bar, panel.first, product(transposed(g), head.u));
      if (model_.head_normalization == HeadNormalization::l2) {
        const G pull = row_sums(G(head.v * bar)) / (head.norm * head.scale);
        bar = (bar - head.v * repeated(pull, d)) / repeated(head.scale, d);
      }
      for (Index i = 0; i < M; ++i) sums.sigma[size(h * M + i)] = gather(h, i, bar);
    }
    return sums;
  }

  static void add_rows(Grid& x, Index first, const Grid& y) { x.middleRows(first, y.rows()) += y; }
  static void add_rows(Dual<Grid>& x, Index first, const Dual<Grid>& y) {
    add_rows(x.v, first, y.v);
    add_rows(x.d, first, y.d);
  }

  /// From sums over chains to the mean gradient: (4.3), and the Jacobian of the softmax for w.
  template <class N>
  void finish(const Sums<N>& sums, const Numbers<N>& at, double chains, Gradient& out,
              Gradient* derivative) const {
    using S = typename N::Scalar;
    const Index M = model_.window;
    const double share = 1.0 / chains;
    out.loss = sums.loss * share;
    write(S(sums.a * share), out.a, derivative ? &derivative->a : nullptr);
    std::vector<S> p, w, attention;
    for (const S& x : sums.p) p.push_back(at.a * x * share);
    for (Index h = 0; h < model_.heads; ++h) {
      const S* sigma = at.sigma.data() + h * M;
      const S* bar = sums.sigma.data() + h * M;
      S mean = sigma[0] * bar[0];
      for (Index i = 1; i < M; ++i) mean = mean + sigma[i] * bar[i];
      for (Index i = 0; i < M; ++i) {
        attention.push_back((bar[i] - mean) * share);
        w.push_back(sigma[i] * attention.back());
      }
    }
    write(p, out.p, derivative ? &derivative->p : nullptr);
    write(w, out.w, derivative ? &derivative->w : nullptr);
    write(attention, out.attention, derivative ? &derivative->attention : nullptr);
  }

  const hot::LawFunctions& laws_;
  Model model_;
  Index chains_;
  Index windows_;  ///< d^W
  std::vector<std::uint32_t> masks_;
  std::vector<Index> parent_, last_;  ///< S without its last head, and that head
  Index panel_ = 1, panels_ = 1, at_once_ = 1, tile_ = 1, ranges_ = 1;
  std::vector<Token> digits_;  ///< [d^W, W], digit j = token at lag j + 1
  std::vector<double> joint_;  ///< [N, d, d^W] μ^π(Z, e)
};

}  // namespace

std::vector<double> window_laws(const Model& model, const Kernels& kernels) {
  const Index d = model.vocabulary, W = model.widest();
  const Index numbers = power(d, W, "windows") * d;
  std::vector<double> laws(size(kernels.count * numbers));
  parallel_ranges(kernels.count, 16, [&](Index begin, Index end) {
    for (Index i = begin; i < end; ++i) {
      const Index classes = closed_classes(kernels.of_chain(i), d, kernels.parents);
      if (classes != 1)
        throw InputError(
            fmt::format("kernels, chain {}: has {} closed classes of states: must be one in "
                        "infinite context, since its stationary law is not unique",
                        i, classes));
      const std::vector<double> law =
          stationary_window_law(kernels.of_chain(i), d, kernels.parents, W + 1);
      std::copy(law.begin(), law.end(), laws.begin() + i * numbers);
    }
  });
  return laws;
}

std::unique_ptr<Objective> make_host_infinite_objective(const Model& model, const Kernels& kernels,
                                                        const std::string& set) {
  return std::make_unique<InfiniteObjective>(model, kernels, set);
}

std::unique_ptr<Objective> make_infinite_objective(const Model& model, const Kernels& kernels,
                                                   Device device) {
  validate(kernels, "kernels");
  if (kernels.vocabulary != model.vocabulary)
    throw InputError(fmt::format("vocabulary {} of the kernels: the model has vocabulary {}",
                                 kernels.vocabulary, model.vocabulary));
  if (resolved(device) == Device::cuda) return make_cuda_infinite_objective(model, kernels);
  return make_host_infinite_objective(model, kernels);
}

}  // namespace gihflow
