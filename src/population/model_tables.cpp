#include "population/model_tables.hpp"

#include <algorithm>
#include <bit>
#include <limits>
#include <numeric>

#include "gihflow/base/subsets.hpp"
#include "population/features.hpp"

namespace gihflow {

ModelTables::ModelTables(const Model& model) : ModelTables(model, has_card_features(model)) {}

ModelTables::ModelTables(const Model& model, bool relative)
    : model_(model), masks_(subsets(model.heads, model.degree)) {
  for (std::uint32_t mask : masks_) {
    if (mask == 0) {
      parent_.push_back(-1);
      last_.push_back(-1);
      continue;
    }
    std::int32_t head = 31 - std::countl_zero(mask);
    parent_.push_back(static_cast<std::int32_t>(subset_index(mask & ~(1u << head), model.heads)));
    last_.push_back(head);
  }
  for (Index h = 0; h < model.heads; ++h) first_lag_.push_back(model.lag(h, 0) - 1);
  patterns_ = !relative ? 0 : model.boundary == Boundary::partial ? model.widest() + 1 : 1;
}

Index ModelTables::existing_lags(Index pattern, Index h) const {
  if (patterns_ == 1) return model_.window;
  return std::clamp(pattern - first_lag_[static_cast<std::size_t>(h)], Index{0}, model_.window);
}

Attention ModelTables::attention(const Point& at, const Point* along) const {
  const Index H = model_.heads, M = model_.window;
  Attention out;
  out.sigma.assign(static_cast<std::size_t>(patterns_ * H * M), 0.0);
  if (along) out.along = out.sigma;
  for (Index pattern = 0; pattern < patterns_; ++pattern)
    for (Index h = 0; h < H; ++h) {
      const Index existing = existing_lags(pattern, h);
      if (existing == 0) continue;
      double* sigma = out.sigma.data() + (pattern * H + h) * M;
      auto row = softmax(std::span(at.w).subspan(static_cast<std::size_t>(h * M),
                                                 static_cast<std::size_t>(existing)));
      std::copy(row.begin(), row.end(), sigma);
      if (!along) continue;
      const double* direction = along->w.data() + h * M;
      double mean = std::inner_product(sigma, sigma + existing, direction, 0.0);
      for (Index i = 0; i < existing; ++i)
        out.along[static_cast<std::size_t>((pattern * H + h) * M + i)] =
            sigma[i] * (direction[i] - mean);
    }
  return out;
}

hot::ModelView ModelTables::view() const {
  return {model_.vocabulary,
          model_.widest(),
          model_.heads,
          model_.window,
          model_.subsets(),
          masks_.data(),
          parent_.data(),
          last_.data(),
          first_lag_.data(),
          patterns_,
          model_.head_normalization == HeadNormalization::l2,
          model_.readout == Readout::softmax,
          model_.epsilon,
          model_.rectify,
          model_.rectify_width};
}

hot::PointView ModelTables::point(const Point& at, const Attention& attention, const Point* along) {
  return {at.p.data(),
          attention.sigma.data(),
          at.a,
          along ? along->p.data() : nullptr,
          along ? attention.along.data() : nullptr,
          along ? along->a : 0.0};
}

void ModelTables::gradient(const double* partial, double chains, const Point& at,
                           const Attention& attention, const Point* along, Gradient& out,
                           Gradient* derivative, bool with_loss) const {
  const Index S = model_.subsets(), H = model_.heads, M = model_.window;
  const double* p_sums = partial + hot::partial_p;
  const double* sigma_sums = p_sums + S;
  const double* dual = partial + sums();
  const double* dual_p_sums = dual + hot::partial_p;
  out.loss =
      with_loss ? partial[hot::partial_loss] / chains : std::numeric_limits<double>::quiet_NaN();
  static_cast<PlainBlocks&>(out) = {};
  out.a = partial[hot::partial_a] / chains;
  out.p.resize(static_cast<std::size_t>(S));
  for (Index i = 0; i < S; ++i) out.p[static_cast<std::size_t>(i)] = at.a * p_sums[i] / chains;
  out.w.assign(static_cast<std::size_t>(H * M), 0.0);
  out.attention = out.w;
  if (along) {
    static_cast<PlainBlocks&>(*derivative) = {};
    derivative->a = dual[hot::partial_a] / chains;
    derivative->p.resize(static_cast<std::size_t>(S));
    for (Index i = 0; i < S; ++i)
      derivative->p[static_cast<std::size_t>(i)] =
          (at.a * dual_p_sums[i] + along->a * p_sums[i]) / chains;
    derivative->w.assign(static_cast<std::size_t>(H * M), 0.0);
    derivative->attention = derivative->w;
  }
  for (Index row = 0; row < patterns_ * H; ++row) {
    const double* sigma = attention.sigma.data() + row * M;
    const double* s = sigma_sums + row * M;
    Index h = row % H;
    double mean = std::inner_product(sigma, sigma + M, s, 0.0);
    for (Index i = 0; i < M; ++i)
      out.w[static_cast<std::size_t>(h * M + i)] += sigma[i] * (s[i] - mean) / chains;
    // The pattern's σ is the full window's, divided by the share of the lags that exist.
    const Index full = ((patterns_ - 1) * H + h) * M, existing = existing_lags(row / H, h);
    const double share = existing == M
                             ? 1.0
                             : std::accumulate(attention.sigma.data() + full,
                                               attention.sigma.data() + full + existing, 0.0);
    if (share > 0.0)
      for (Index i = 0; i < existing; ++i)
        out.attention[static_cast<std::size_t>(h * M + i)] += (s[i] - mean) / share / chains;
    if (!along) continue;
    const double* tangent = attention.along.data() + row * M;
    const double* ds = dual_p_sums + S + row * M;
    double mean_tangent = std::inner_product(sigma, sigma + M, ds, 0.0) +
                          std::inner_product(tangent, tangent + M, s, 0.0);
    for (Index i = 0; i < M; ++i)
      derivative->w[static_cast<std::size_t>(h * M + i)] +=
          (tangent[i] * (s[i] - mean) + sigma[i] * (ds[i] - mean_tangent)) / chains;
    const double growth = existing == M
                              ? 0.0
                              : std::accumulate(attention.along.data() + full,
                                                attention.along.data() + full + existing, 0.0) /
                                    share;
    if (share > 0.0)
      for (Index i = 0; i < existing; ++i)
        derivative->attention[static_cast<std::size_t>(h * M + i)] +=
            (ds[i] - mean_tangent - (s[i] - mean) * growth) / share / chains;
  }
}

}  // namespace gihflow
