#include "population/parts.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>
#include <utility>

#include "gihflow/base/size.hpp"
#include "population/engines.hpp"

namespace gihflow {

namespace {

void add(Gradient& x, const Gradient& y) {
  if (x.p.empty()) {
    x = y;
    return;
  }
  if (y.p.empty()) return;
  x.loss += y.loss;
  add_entries(x.p, y.p);
  add_entries(x.attention, y.attention);
  for (const PlainArray& array : plain_arrays) add_entries(array.of(x), array.in(y));
}

Share sum_of(std::vector<Share> parts) {
  sum_in_tree(static_cast<Index>(parts.size()),
              [&](Index i, Index j) { gihflow::add(parts[size(i)], parts[size(j)]); });
  return std::move(parts.front());
}

}  // namespace

void add(Share& x, const Share& y) {
  add(x.value, y.value);
  add(x.derivative, y.derivative);
}

// (5.2), after T. F. Chan, G. H. Golub, R. J. LeVeque, The American Statistician 37 (1983).
void add(Moments& x, const Moments& y) {
  const double chains = x.chains + y.chains;
  for (std::size_t i = 0; i < x.mean.size(); ++i) {
    const double apart = y.mean[i] - x.mean[i];
    x.mean[i] += apart * (y.chains / chains);
    x.squares[i] += y.squares[i] + apart * apart * (x.chains * y.chains / chains);
  }
  x.chains = chains;
}

Moments moments_of_rows(std::span<const double> rows, Index row_size) {
  const std::size_t width = size(row_size), chains = rows.size() / width;
  Moments out{static_cast<double>(chains), std::vector<double>(width), std::vector<double>(width)};
  for (std::size_t i = 0; i < chains; ++i) add_entries(out.mean, rows.subspan(i * width, width));
  for (double& mean : out.mean) mean /= out.chains;
  for (std::size_t i = 0; i < chains; ++i)
    for (std::size_t j = 0; j < width; ++j) {
      const double apart = rows[i * width + j] - out.mean[j];
      out.squares[j] += apart * apart;
    }
  return out;
}

StandardErrors errors_of_parts(std::vector<Moments> parts, const Model& model) {
  sum_in_tree(static_cast<Index>(parts.size()),
              [&](Index i, Index j) { add(parts[size(i)], parts[size(j)]); });
  const Moments& all = parts.front();
  std::vector<double> errors;
  for (std::size_t i = 0; i < all.mean.size(); ++i)
    errors.push_back(all.chains < 2.0 || !std::isfinite(all.mean[i])
                         ? std::numeric_limits<double>::quiet_NaN()
                         : std::sqrt(all.squares[i] / (all.chains - 1.0) / all.chains));
  StandardErrors out;
  out.loss = errors.front();
  auto next = errors.begin() + 1 + model.subsets();
  out.c.assign(errors.begin() + 1, next);
  for (const PlainArray& array : plain_arrays) {
    const Index n = size_of(array, model);
    if (n == 0) continue;
    array.assign(out, std::vector<double>(next, next + n));
    next += n;
  }
  return out;
}

void PartedObjective::gradient(const Point& at, Gradient& out, bool with_loss) const {
  gradient_in(Derivatives::all, at, out, with_loss);
}

void PartedObjective::gradient_in(Derivatives wanted, const Point& at, Gradient& out,
                                  bool with_loss) const {
  require_arrays(model(), at);
  out = sum_of(shares(at, nullptr, {with_loss, wanted})).value;
  constexpr double absent = std::numeric_limits<double>::quiet_NaN();
  if (wanted < Derivatives::scale) out.a = absent;
  if (wanted < Derivatives::weights) out.p.assign(at.p.size(), absent);
  if (wanted == Derivatives::all) return;
  std::fill(out.attention.begin(), out.attention.end(), absent);
  for (const PlainArray& array : plain_arrays)
    if (array.letter != 'a') array.assign(out, std::vector<double>(array.in(at).size(), absent));
}

double PartedObjective::loss(const Point& at) const {
  require_arrays(model(), at);
  return sum_of(shares(at, nullptr, {true, Derivatives::none})).value.loss;
}

void PartedObjective::gradient_along(const Point& at, const Point& along, Gradient& out,
                                     Gradient& derivative) const {
  require_arrays(model(), at);
  require_arrays(model(), along);
  Share sum = sum_of(shares(at, &along, {}));
  out = std::move(sum.value);
  derivative = std::move(sum.derivative);
  derivative.loss = slope_along(out, along);
}

void PartedObjective::batch_gradient(std::span<const Index> chains, const Point& at,
                                     Gradient& out) const {
  require_arrays(model(), at);
  // In ascending order, since label laws of chains that share a lane are added up as they come.
  std::vector<Index> ascending(chains.begin(), chains.end());
  std::sort(ascending.begin(), ascending.end());
  out = sum_of(batch_shares(ascending, static_cast<double>(chains.size()), at)).value;
}

std::vector<Share> PartedObjective::batch_shares(std::span<const Index> chains, double,
                                                 const Point& at) const {
  Share share;
  Objective::batch_gradient(chains, at, share.value);
  return {share};
}

StandardErrors PartedObjective::standard_errors(const Parameters& at) const {
  require_arrays(model(), point_of(at));
  return errors_of_parts(moments(at), model());
}

Kernels some_kernels(const Kernels& all, Index first, Index count) {
  const auto each = static_cast<Index>(all.of_chain(0).size());
  const auto begin = all.values.begin() + first * each;
  return {all.vocabulary, all.parents, count, {begin, begin + count * each}};
}

}  // namespace gihflow
