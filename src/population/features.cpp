#include "population/features.hpp"

#include <algorithm>
#include <cmath>
#include <functional>
#include <limits>
#include <numeric>

#include "gihflow/base/errors.hpp"
#include "gihflow/base/parallel.hpp"
#include "gihflow/base/size.hpp"
#include "population/dual.hpp"
#include "population/views.hpp"

namespace gihflow {

namespace {

/// The fixed logit of the own position, and what layer norm adds to the variance: (2.6), (2.8).
constexpr double own_logit = 1e-6, variance_guard = 1e-5;
constexpr Index windows_per_block = 64;

/// Square root with derivative 0 at 0, as (4.5) sets it.
inline double root(double x) {
  return std::sqrt(x);
}
inline Dual<double> root(const Dual<double>& x) {
  return x.v > 0.0 ? square_root(x) : Dual<double>{0.0, 0.0};
}

template <class S>
S number(double x, double) {
  return x;
}
template <>
Dual<double> number(double x, double dx) {
  return {x, dx};
}

double derivative_of(double) {
  return 0.0;
}
double derivative_of(const Dual<double>& x) {
  return x.d;
}

}  // namespace

Phrase part_without_relative_features(const Model& model) {
  if (!model.head_lags.empty())
    return model.head_lags.size() == 1 ? Phrase(Field::lags) : Phrase(Field::head_lags);
  if (model.scores == Scores::tokens) return Phrase(Field::scores, " tokens");
  if (model.own_position) return Phrase(Field::own_position);
  if (model.values == HeadValues::matrix) return Phrase(Field::values, " matrix");
  if (model.head_normalization == HeadNormalization::layer)
    return Phrase(Field::head_normalization, " layer");
  return model.rectify ? Phrase(Field::rectify) : Phrase();
}

bool has_relative_features(const Model& model) {
  return part_without_relative_features(model).empty();
}

void require_card(const Model& model) {
  if (has_relative_features(model)) return;
  Phrase allowed("has no engine for ");
  allowed += part_without_relative_features(model);
  allowed += Phrase("; use ", Field::device, " cpu");
  throw InputError(Fault{Field::device, "cuda", std::move(allowed)});
}

double rectified(const Model& model, double z) {
  if (!model.rectify) return z;
  const double width = model.rectify_width;
  return width > 0.0 ? 0.5 * (z + std::sqrt(z * z + width * width)) : std::max(z, 0.0);
}

/// The parameters that features depend on, or sums of derivatives in them; QKᵀ in place of Q and K.
template <class S>
struct FeatureTable::Block {
  std::vector<S> w, scores, value, gain, bias, attention;

  void add(const Block& other) {
    const auto add_to = [](std::vector<S>& x, const std::vector<S>& y) {
      for (std::size_t i = 0; i < x.size(); ++i) x[i] = x[i] + y[i];
    };
    add_to(w, other.w);
    add_to(scores, other.scores);
    add_to(value, other.value);
    add_to(gain, other.gain);
    add_to(bias, other.bias);
    add_to(attention, other.attention);
  }
  Block zero() const {
    const auto zeros = [](const std::vector<S>& x) { return std::vector<S>(x.size(), S{}); };
    return {zeros(w), zeros(scores), zeros(value), zeros(gain), zeros(bias), zeros(attention)};
  }
};

/// What a head makes of one window.
template <class S>
struct FeatureTable::Head {
  std::vector<Index> component;  ///< of w; −1 for the own position
  std::vector<Index> token;      ///< that is seen; −1: none
  std::vector<Index> score;      ///< entry of `scores`; −1: none
  std::vector<S> sigma;
  std::vector<S> mass, v, u;  ///< [d] attention on each token, v and u
  S scale{};                  ///< by which v is divided
};

FeatureTable::FeatureTable(const Model& model, std::span<const std::uint64_t> windows,
                           std::span<const std::uint64_t> queries)
    : model_(model) {
  const WindowCode code(model);
  width_ = code.width();
  const Index d = model.vocabulary;
  for (Index h = 0; h < model.heads; ++h)
    for (Index i = 0; i < model.window; ++i) digit_.push_back(code.digit_of(model.lag(h, i)));
  digits_.resize((windows.size() + queries.size()) * size(width_));
  std::uint16_t* next = digits_.data();
  for (const std::uint64_t key : windows) {
    code.digits(code.window_of(key), next);
    own_.push_back(static_cast<std::uint16_t>(code.own_token_of(key)));
    next += width_;
  }
  for (const std::uint64_t query : queries) {
    code.digits(query, next);
    own_.push_back(static_cast<std::uint16_t>(d));
    next += width_;
  }
}

std::size_t FeatureTable::memory() const {
  return digits_.size() * sizeof(digits_[0]) + own_.size() * sizeof(own_[0]);
}

template <class S>
FeatureTable::Block<S> FeatureTable::block_of(const Point& at, const Point* along) const {
  const auto numbers = [&](const std::vector<double>& x, const std::vector<double>* dx) {
    std::vector<S> out;
    out.reserve(x.size());
    for (std::size_t i = 0; i < x.size(); ++i)
      out.push_back(number<S>(x[i], dx != nullptr ? (*dx)[i] : 0.0));
    return out;
  };
  const auto of = [&](auto member) {
    return numbers(at.*member, along != nullptr ? &((*along).*member) : nullptr);
  };
  Block<S> block;
  block.w = of(&PlainBlocks::w);
  block.value = of(&PlainBlocks::value);
  block.gain = of(&PlainBlocks::gain);
  block.bias = of(&PlainBlocks::bias);
  if (model_.scores == Scores::tokens) {
    const std::vector<S> query = of(&PlainBlocks::query), key = of(&PlainBlocks::key);
    const Index d = model_.vocabulary;
    for (Index h = 0; h < model_.heads; ++h)
      for (Index e = 0; e < d; ++e)
        for (Index x = 0; x < d; ++x) {
          S sum{};
          for (Index r = 0; r < d; ++r)
            sum = sum + query[size((h * d + e) * d + r)] * key[size((h * d + x) * d + r)];
          block.scores.push_back(sum);
        }
  }
  block.attention.assign(model_.sees_own_token() ? 0 : block.w.size(), S{});
  return block;
}

template <class S>
void FeatureTable::look(const Block<S>& block, Index window, Index head, Head<S>& out) const {
  const Index d = model_.vocabulary, M = model_.window;
  const std::uint16_t* digits = digits_.data() + window * width_;
  const Index own = own_[size(window)];
  const bool tokens = model_.scores == Scores::tokens && own < d;
  const auto score_at = [&](Index token) {
    return tokens && token >= 0 ? (head * d + own) * d + token : Index{-1};
  };
  out.component.clear();
  out.token.clear();
  out.score.clear();
  out.sigma.clear();
  for (Index i = 0; i < M; ++i) {
    const Index digit = digit_[size(head * M + i)];
    if (digit < 0 || digits[digit] >= d) continue;
    out.component.push_back(head * M + i);
    out.token.push_back(digits[digit]);
    out.score.push_back(score_at(digits[digit]));
    out.sigma.push_back(block.w[size(head * M + i)]);
  }
  if (model_.own_position) {
    const Index token = own < d ? own : -1;
    out.component.push_back(-1);
    out.token.push_back(token);
    out.score.push_back(score_at(token));
    out.sigma.push_back(number<S>(own_logit, 0.0));
  }
  double top = -std::numeric_limits<double>::infinity();
  for (std::size_t k = 0; k < out.sigma.size(); ++k) {
    if (out.score[k] >= 0) out.sigma[k] = out.sigma[k] + block.scores[size(out.score[k])];
    top = std::max(top, value(out.sigma[k]));
  }
  S total{};
  for (S& sigma : out.sigma) {
    sigma = exponential(S(sigma + -top));
    total = total + sigma;
  }
  out.mass.assign(size(d), S{});
  for (std::size_t k = 0; k < out.sigma.size(); ++k) {
    out.sigma[k] = out.sigma[k] / total;
    if (out.token[k] < 0) continue;
    S& mass = out.mass[size(out.token[k])];
    mass = mass + out.sigma[k];
  }
  if (model_.values == HeadValues::matrix) {
    out.v.assign(size(d), S{});
    for (Index e = 0; e < d; ++e)
      for (Index r = 0; r < d; ++r)
        out.v[size(r)] =
            out.v[size(r)] + out.mass[size(e)] * block.value[size((head * d + e) * d + r)];
  } else {
    out.v = out.mass;
  }
  out.u = out.v;
  if (model_.head_normalization == HeadNormalization::l2) {
    S squares{};
    for (const S& x : out.v) squares = squares + x * x;
    out.scale = root(squares);  // ‖v‖; the guard is added where it divides
    const S divisor = out.scale + hot::norm_guard;
    for (S& x : out.u) x = x / divisor;
  } else if (model_.head_normalization == HeadNormalization::layer) {
    const double share = 1.0 / static_cast<double>(d);
    S mean{}, variance{};
    for (const S& x : out.v) mean = mean + x * share;
    for (const S& x : out.v) variance = variance + (x - mean) * (x - mean) * share;
    out.scale = square_root(S(variance + variance_guard));
    for (Index e = 0; e < d; ++e) {
      S& x = out.v[size(e)];  // normalised from here on
      x = (x - mean) / out.scale;
      out.u[size(e)] = block.gain[size(e)] * x + block.bias[size(e)];
    }
  }
}

template <class S>
void FeatureTable::back(const Block<S>& block, Index head, const Head<S>& seen, const S* u_bar,
                        Block<S>& sums) const {
  const Index d = model_.vocabulary;
  std::vector<S> bar(u_bar, u_bar + d);
  if (model_.head_normalization == HeadNormalization::l2) {
    if (!(value(seen.scale) > 0.0)) return;  // an empty window: v = 0 and nothing flows back
    const S divisor = seen.scale + hot::norm_guard;
    S inner{};
    for (Index e = 0; e < d; ++e) inner = inner + seen.v[size(e)] * bar[size(e)];
    const S pull = inner / (seen.scale * divisor);
    for (Index e = 0; e < d; ++e) bar[size(e)] = (bar[size(e)] - seen.v[size(e)] * pull) / divisor;
  } else if (model_.head_normalization == HeadNormalization::layer) {
    const double share = 1.0 / static_cast<double>(d);
    S mean{}, inner{};
    for (Index e = 0; e < d; ++e) {
      S& x = bar[size(e)];
      sums.gain[size(e)] = sums.gain[size(e)] + x * seen.v[size(e)];
      sums.bias[size(e)] = sums.bias[size(e)] + x;
      x = x * block.gain[size(e)];
      mean = mean + x * share;
      inner = inner + x * seen.v[size(e)] * share;
    }
    for (Index e = 0; e < d; ++e)
      bar[size(e)] = (bar[size(e)] - mean - seen.v[size(e)] * inner) / seen.scale;
  }
  if (model_.values == HeadValues::matrix) {
    const std::vector<S> v_bar = bar;
    for (Index e = 0; e < d; ++e) {
      S sum{};
      for (Index r = 0; r < d; ++r) {
        const Index k = (head * d + e) * d + r;
        sums.value[size(k)] = sums.value[size(k)] + seen.mass[size(e)] * v_bar[size(r)];
        sum = sum + block.value[size(k)] * v_bar[size(r)];
      }
      bar[size(e)] = sum;
    }
  }
  // ∂/∂σ_k, less its mean.
  std::vector<S> slope(seen.sigma.size(), S{});
  S mean{}, share{};
  for (std::size_t k = 0; k < slope.size(); ++k) {
    if (seen.token[k] >= 0) slope[k] = bar[size(seen.token[k])];
    mean = mean + seen.sigma[k] * slope[k];
    if (!sums.attention.empty()) share = share + block.attention[size(seen.component[k])];
  }
  for (std::size_t k = 0; k < slope.size(); ++k) {
    const S excess = slope[k] - mean, of_score = seen.sigma[k] * excess;
    const Index i = seen.component[k];
    if (i >= 0) sums.w[size(i)] = sums.w[size(i)] + of_score;
    if (seen.score[k] >= 0)
      sums.scores[size(seen.score[k])] = sums.scores[size(seen.score[k])] + of_score;
    // The window's σ is that of the full window, divided by the share of the lags that exist.
    if (!sums.attention.empty() && value(share) > 0.0)
      sums.attention[size(i)] = sums.attention[size(i)] + excess / share;
  }
}

template <class S>
void FeatureTable::forward_as(const Point& at, const Point* along, double* out) const {
  const Block<S> block = block_of<S>(at, along);
  S* u = reinterpret_cast<S*>(out);
  const Index d = model_.vocabulary, count = windows();
  parallel_ranges(count, windows_per_block, [&](Index begin, Index end) {
    Head<S> head;
    for (Index h = 0; h < model_.heads; ++h)
      for (Index window = begin; window < end; ++window) {
        look(block, window, h, head);
        for (Index e = 0; e < d; ++e) u[(h * d + e) * count + window] = head.u[size(e)];
      }
  });
}

std::vector<double> FeatureTable::forward(const Point& at, const Point* along) const {
  std::vector<double> u(size(model_.heads * model_.vocabulary * windows() * (along ? 2 : 1)));
  if (along != nullptr)
    forward_as<Dual<double>>(at, along, u.data());
  else
    forward_as<double>(at, nullptr, u.data());
  return u;
}

template <class S>
void FeatureTable::backward_as(const Point& at, const Point* along, double chains,
                               std::span<const Index> some,
                               const std::function<void(Index, double*)>& pull, Gradient& out,
                               Gradient* derivative) const {
  Block<S> block = block_of<S>(at, along);
  if (!block.attention.empty()) {  // σ of the full window
    for (Index h = 0; h < model_.heads; ++h) {
      S total{};
      double top = -std::numeric_limits<double>::infinity();
      const auto row = block.w.begin() + h * model_.window;
      for (Index i = 0; i < model_.window; ++i) top = std::max(top, value(row[i]));
      for (Index i = 0; i < model_.window; ++i) {
        S& sigma = block.attention[size(h * model_.window + i)];
        // A lag that the head does not have weighs nothing, and neither does its direction.
        if (std::isfinite(value(row[i]))) sigma = exponential(S(row[i] + -top));
        total = total + sigma;
      }
      for (Index i = 0; i < model_.window; ++i) {
        S& sigma = block.attention[size(h * model_.window + i)];
        sigma = sigma / total;
      }
    }
  }
  const Index count = some.empty() ? windows() : static_cast<Index>(some.size());
  const Index blocks = (count + windows_per_block - 1) / windows_per_block;
  std::vector<Block<S>> sums(size(blocks));
  parallel_ranges(count, windows_per_block, [&](Index begin, Index end) {
    Block<S>& sum = sums[size(begin / windows_per_block)];
    sum = block.zero();
    Head<S> head;
    std::vector<S> u_bar(size(model_.heads * model_.vocabulary));
    for (Index k = begin; k < end; ++k) {
      const Index window = some.empty() ? k : some[size(k)];
      pull(window, reinterpret_cast<double*>(u_bar.data()));
      for (Index h = 0; h < model_.heads; ++h) {
        look(block, window, h, head);
        back(block, h, head, u_bar.data() + h * model_.vocabulary, sum);
      }
    }
  });
  Block<S> total = block.zero();
  for (const Block<S>& sum : sums) total.add(sum);

  const auto put = [&](auto member, const std::vector<S>& from) {
    std::vector<double>& value_of = out.*member;
    value_of.resize(from.size());
    for (std::size_t i = 0; i < from.size(); ++i) value_of[i] = value(from[i]) / chains;
    if (derivative == nullptr) return;
    std::vector<double>& slope = derivative->*member;
    slope.resize(from.size());
    for (std::size_t i = 0; i < from.size(); ++i) slope[i] = derivative_of(from[i]) / chains;
  };
  put(&PlainBlocks::w, total.w);
  put(&PlainBlocks::value, total.value);
  put(&PlainBlocks::gain, total.gain);
  put(&PlainBlocks::bias, total.bias);
  put(&Gradient::attention, total.attention);
  if (model_.scores != Scores::tokens) return;
  // With G = ∂/∂(QKᵀ): ∂/∂Q = G·K and ∂/∂K = Gᵀ·Q.
  const Index d = model_.vocabulary;
  std::vector<S> query(size(model_.heads * d * d), S{}), key(query);
  for (Index h = 0; h < model_.heads; ++h)
    for (Index e = 0; e < d; ++e)
      for (Index x = 0; x < d; ++x) {
        const S g = total.scores[size((h * d + e) * d + x)];
        for (Index r = 0; r < d; ++r) {
          const auto of_e = size((h * d + e) * d + r), of_x = size((h * d + x) * d + r);
          const auto entry = [&](const std::vector<double>& values, const std::vector<double>* dx,
                                 std::size_t i) {
            return number<S>(values[i], dx != nullptr ? (*dx)[i] : 0.0);
          };
          query[of_e] = query[of_e] + g * entry(at.key, along ? &along->key : nullptr, of_x);
          key[of_x] = key[of_x] + g * entry(at.query, along ? &along->query : nullptr, of_e);
        }
      }
  put(&PlainBlocks::query, query);
  put(&PlainBlocks::key, key);
}

void FeatureTable::backward(const Point& at, const Point* along, double chains,
                            const std::function<void(Index, double*)>& pull, Gradient& out,
                            Gradient* derivative) const {
  backward(at, along, chains, {}, pull, out, derivative);
}

void FeatureTable::backward(const Point& at, const Point* along, double chains,
                            std::span<const Index> some,
                            const std::function<void(Index, double*)>& pull, Gradient& out,
                            Gradient* derivative) const {
  if (along != nullptr)
    backward_as<Dual<double>>(at, along, chains, some, pull, out, derivative);
  else
    backward_as<double>(at, nullptr, chains, some, pull, out, nullptr);
}

}  // namespace gihflow
