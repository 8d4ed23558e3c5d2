#include "population/features.hpp"

#include <algorithm>
#include <cmath>
#include <limits>

#include "gihflow/base/errors.hpp"
#include "gihflow/base/parallel.hpp"
#include "gihflow/base/size.hpp"
#include "population/dual.hpp"
#include "population/engines.hpp"
#include "population/instruction_sets.hpp"

namespace gihflow {

namespace {

/// The way back takes packs in at most most_ranges ranges, of at least least_packs packs each;
/// every range has sums of its own.
constexpr Index least_packs = 8, most_ranges = 64;

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

/// An array of a point, as dual numbers with the direction's as derivatives.
template <class S>
std::vector<S> numbers_of(std::vector<double> PlainBlocks::*member, const Point& at,
                          const Point* along) {
  std::vector<S> out;
  const std::vector<double>& x = at.*member;
  for (std::size_t i = 0; i < x.size(); ++i)
    out.push_back(number<S>(x[i], along != nullptr ? ((*along).*member)[i] : 0.0));
  return out;
}

/// σ of the full windows, [H, M], from w.
template <class S>
std::vector<S> attention_of(const Model& model, std::vector<S> w) {
  for (Index h = 0; h < model.heads; ++h) {
    const std::span<S> row = std::span(w).subspan(size(h * model.window), size(model.window));
    double top = -std::numeric_limits<double>::infinity();
    for (const S& x : row) top = std::max(top, value(x));
    S total{};
    for (S& x : row) {
      // The logit of a lag that the head does not have is −∞: no attention and no derivative.
      x = std::isfinite(value(x)) ? exponential(S(x + -top)) : S{};
      total = total + x;
    }
    for (S& x : row) x = x / total;
  }
  return w;
}

/// The first option of a model that the card has no engine for, such as "scores tokens"; else
/// empty.
Phrase part_without_card(const Model& model) {
  if (!model.head_lags.empty())
    return model.head_lags.size() == 1 ? Phrase(Field::lags) : Phrase(Field::head_lags);
  if (model.scores == Scores::tokens) return Phrase(Field::scores, " tokens");
  if (model.own_position) return Phrase(Field::own_position);
  if (model.values == HeadValues::matrix) return Phrase(Field::values, " matrix");
  if (model.head_normalization == HeadNormalization::layer)
    return Phrase(Field::head_normalization, " layer");
  if (model.head_normalization == HeadNormalization::rms)
    return Phrase(Field::head_normalization, " rms");
  return model.rectify ? Phrase(Field::rectify) : Phrase();
}

}  // namespace

bool has_card_features(const Model& model) {
  return part_without_card(model).empty();
}

bool has_relative_features(const Model& model) {
  return has_card_features(model) && model.boundary == Boundary::masked &&
         model.head_normalization == HeadNormalization::none;
}

void require_card(const Model& model) {
  if (has_card_features(model)) return;
  Phrase allowed("has no engine for ");
  allowed += part_without_card(model);
  allowed += Phrase("; use ", Field::device, " cpu");
  throw InputError(Fault{Field::device, "cuda", std::move(allowed)});
}

double rectified(const Model& model, double z) {
  if (!model.rectify) return z;
  const double width = model.rectify_width;
  return width > 0.0 ? 0.5 * (z + std::sqrt(z * z + width * width)) : std::max(z, 0.0);
}

FeatureTable::FeatureTable(const Model& model, const WindowCode& code,
                           std::span<const std::uint64_t> windows,
                           std::span<const std::uint64_t> queries, const std::string& set)
    : functions_(hot_loops(set).features), model_(model) {
  width_ = code.width();
  for (Index h = 0; h < model.heads; ++h)
    for (Index i = 0; i < model.window; ++i) digit_.push_back(code.digit_of(model.lag(h, i)));
  const auto rows = [](std::size_t n) { return (n + hot::pack - 1) / hot::pack * hot::pack; };
  first_query_ = static_cast<Index>(rows(windows.size()));
  digits_.reserve((rows(windows.size()) + rows(queries.size())) * size(width_));
  const auto append = [&](std::uint64_t window, Index own) {
    digits_.resize(digits_.size() + size(width_));
    code.digits(window, digits_.data() + digits_.size() - width_);
    own_.push_back(static_cast<std::uint16_t>(own));
  };
  // The last window and the last query are repeated to fill a pack.
  for (std::size_t i = 0; i < rows(windows.size()); ++i) {
    const std::uint64_t key = windows[std::min(i, windows.size() - 1)];
    append(code.window_of(key), code.own_token_of(key));
  }
  for (std::size_t i = 0; i < rows(queries.size()); ++i)
    append(queries[std::min(i, queries.size() - 1)], model.vocabulary);
}

std::size_t FeatureTable::memory() const {
  return digits_.size() * sizeof(digits_[0]) + own_.size() * sizeof(own_[0]);
}

hot::FeatureModel FeatureTable::view() const {
  const Index H = model_.heads, M = model_.window, d = model_.vocabulary;
  hot::FeatureModel m{};
  m.d = d;
  m.H = H;
  m.M = M;
  m.width = width_;
  m.digit = digit_.data();
  m.tokens = model_.scores == Scores::tokens;
  m.own_position = model_.own_position;
  m.matrix = model_.values == HeadValues::matrix;
  m.layer = model_.head_normalization == HeadNormalization::layer;
  m.l2 = model_.head_normalization == HeadNormalization::l2;
  m.rms = model_.head_normalization == HeadNormalization::rms;
  m.attention_alone = !model_.sees_own_token();
  const auto take = [&](bool present, Index n) {
    const Index first = m.numbers;
    if (present) m.numbers += n;
    return first;
  };
  m.w = take(true, H * M);
  m.scores = take(m.tokens, H * (d + 1) * (d + 1));
  m.value = take(m.matrix, H * d * d);
  m.gain = take(m.layer, d);
  m.bias = take(m.layer, d);
  m.attention = take(m.attention_alone, H * M);
  return m;
}

template <class S>
std::vector<S> FeatureTable::block_of(const Point& at, const Point* along) const {
  const hot::FeatureModel m = view();
  std::vector<S> block(size(m.numbers), S{});
  const auto put = [&](Index first, const std::vector<S>& numbers) {
    std::copy(numbers.begin(), numbers.end(), block.begin() + first);
  };
  const std::vector<S> w = numbers_of<S>(&PlainBlocks::w, at, along);
  put(m.w, w);
  if (m.matrix) put(m.value, numbers_of<S>(&PlainBlocks::value, at, along));
  if (m.layer) put(m.gain, numbers_of<S>(&PlainBlocks::gain, at, along));
  if (m.layer) put(m.bias, numbers_of<S>(&PlainBlocks::bias, at, along));
  if (m.attention_alone) put(m.attention, attention_of(model_, w));
  if (!m.tokens) return block;
  const std::vector<S> query = numbers_of<S>(&PlainBlocks::query, at, along),
                       key = numbers_of<S>(&PlainBlocks::key, at, along);
  for (Index h = 0; h < m.H; ++h)
    for (Index e = 0; e < m.d; ++e)
      for (Index x = 0; x < m.d; ++x) {
        S& sum = block[size(m.scores + (h * (m.d + 1) + e) * (m.d + 1) + x)];
        for (Index r = 0; r < m.d; ++r)
          sum = sum + query[size((h * m.d + e) * m.d + r)] * key[size((h * m.d + x) * m.d + r)];
      }
  return block;
}

Features FeatureTable::forward(const Point& at, const Point* along) const {
  Features out;
  out.packs = packs();
  out.parts = along != nullptr ? 2 : 1;
  out.lines.resize(size(model_.heads * model_.vocabulary * out.packs * out.parts));
  const hot::FeatureModel m = view();
  const std::vector<double> plain = along ? std::vector<double>() : block_of<double>(at, nullptr);
  const std::vector<Dual<double>> dual =
      along ? block_of<Dual<double>>(at, along) : std::vector<Dual<double>>();
  parallel_ranges(out.packs, least_packs, [&](Index begin, Index end) {
    hot::FeatureTask task{};
    task.model = &m;
    task.digits = digits_.data();
    task.own = own_.data();
    task.begin = begin;
    task.end = end;
    task.packs = out.packs;
    task.block = along ? &dual.front().v : plain.data();
    task.u = out.lines.front().number;
    task.scratch = scratch_of_thread(size(functions_.scratch[along != nullptr](m)));
    functions_.forward[along != nullptr](task);
  });
  return out;
}

template <class S>
void FeatureTable::backward_as(const Point& at, const Point* along, double chains,
                               std::span<const Index> some, const Pull& pull, Gradient& out,
                               Gradient* derivative) const {
  const Index H = model_.heads, d = model_.vocabulary, parts = sizeof(S) / sizeof(double);
  const hot::FeatureModel m = view();
  const std::vector<S> block = block_of<S>(at, along);
  const Index all = some.empty() ? packs() : static_cast<Index>(some.size()) / hot::pack;
  const Index per_range = std::max(least_packs, (all + most_ranges - 1) / most_ranges);
  std::vector<S> sums(size((all + per_range - 1) / per_range * m.numbers));
  parallel_ranges(all, per_range, [&](Index begin, Index end) {
    const Index scratch = functions_.scratch[parts - 1](m);
    hot::FeatureTask task{};
    task.model = &m;
    task.digits = digits_.data();
    task.own = own_.data();
    task.list = some.empty() ? nullptr : some.data();
    task.begin = begin;
    task.end = end;
    task.packs = all;
    task.block = reinterpret_cast<const double*>(block.data());
    task.scratch = scratch_of_thread(size(scratch + (end - begin) * H * d * parts * hot::pack));
    task.u = task.scratch + scratch;
    task.sums = reinterpret_cast<double*>(sums.data() + begin / per_range * m.numbers);
    pull(begin, end, task.u);
    functions_.backward[parts - 1](task);
  });
  for (std::size_t i = size(m.numbers); i < sums.size(); ++i) {
    S& total = sums[i % size(m.numbers)];
    total = total + sums[i];
  }

  const auto put = [&](auto member, const S* from, Index n) {
    std::vector<double>& value_of = out.*member;
    value_of.resize(size(n));
    for (Index i = 0; i < n; ++i) value_of[size(i)] = value(from[i]) / chains;
    if (derivative == nullptr) return;
    std::vector<double>& slope = derivative->*member;
    slope.resize(size(n));
    for (Index i = 0; i < n; ++i) slope[size(i)] = derivative_of(from[i]) / chains;
  };
  put(&PlainBlocks::w, sums.data() + m.w, H * m.M);
  put(&PlainBlocks::value, sums.data() + m.value, m.matrix ? H * d * d : 0);
  put(&PlainBlocks::gain, sums.data() + m.gain, m.layer ? d : 0);
  put(&PlainBlocks::bias, sums.data() + m.bias, m.layer ? d : 0);
  put(&Gradient::attention, sums.data() + m.attention, m.attention_alone ? H * m.M : 0);
  if (!m.tokens) return;
  // With G = ∂/∂(QKᵀ): ∂/∂Q = G·K and ∂/∂K = Gᵀ·Q.
  const std::vector<S> query = numbers_of<S>(&PlainBlocks::query, at, along),
                       key = numbers_of<S>(&PlainBlocks::key, at, along);
  std::vector<S> query_bar(query.size(), S{}), key_bar(key.size(), S{});
  for (Index h = 0; h < H; ++h)
    for (Index e = 0; e < d; ++e)
      for (Index x = 0; x < d; ++x) {
        const S g = sums[size(m.scores + (h * (d + 1) + e) * (d + 1) + x)];
        for (Index r = 0; r < d; ++r) {
          const auto of_e = size((h * d + e) * d + r), of_x = size((h * d + x) * d + r);
          query_bar[of_e] = query_bar[of_e] + g * key[of_x];
          key_bar[of_x] = key_bar[of_x] + g * query[of_e];
        }
      }
  put(&PlainBlocks::query, query_bar.data(), H * d * d);
  put(&PlainBlocks::key, key_bar.data(), H * d * d);
}

void FeatureTable::backward(const Point& at, const Point* along, double chains, const Pull& pull,
                            Gradient& out, Gradient* derivative) const {
  backward(at, along, chains, {}, pull, out, derivative);
}

void FeatureTable::backward(const Point& at, const Point* along, double chains,
                            std::span<const Index> some, const Pull& pull, Gradient& out,
                            Gradient* derivative) const {
  if (along != nullptr)
    backward_as<Dual<double>>(at, along, chains, some, pull, out, derivative);
  else
    backward_as<double>(at, nullptr, chains, some, pull, out, nullptr);
}

}  // namespace gihflow
