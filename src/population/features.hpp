#pragma once

// The half of a model between its parameters and the features u^{(h)} of windows, (2.1),
// (2.5)–(2.8), and back: what chains and engines do not know. See README.md.

#include <cstdint>
#include <functional>
#include <span>
#include <string>
#include <vector>

#include "gihflow/population/objective.hpp"
#include "population/statistics.hpp"
#include "population/views.hpp"

namespace gihflow {

/// Whether the hot loops gather a model's features from its attention instead of a table of
/// windows: windows of consecutive lags that all exist, features that are v itself, and attention
/// and values that depend on no token.
bool has_relative_features(const Model& model);
/// Whether the card has an engine for a model: it also takes partial windows and the norm l2.
bool has_card_features(const Model& model);

/// max(0, z), smoothed over the model's width (2.8); z where the model does not rectify.
double rectified(const Model& model, double z);

/// Numbers u [H, d] of windows, in packs of eight: values, and with a direction their derivatives
/// behind each pack.
struct Features {
  std::vector<hot::Line> lines;  ///< [H·d, packs, parts]
  Index packs = 0, parts = 1;

  const double* data() const { return lines.front().number; }
  /// Number k of a window, or its derivative.
  double at(Index k, Index window, Index part = 0) const {
    return data()[((k * packs + window / hot::pack) * parts + part) * hot::pack +
                  window % hot::pack];
  }
};

/// Features of a list of windows, each with the token that follows it where the model sees that.
class FeatureTable {
 public:
  /// Window keys as WindowCode::pair_key gives them, then queries: windows without a token of their
  /// own. The hot loops run in the version for `set`.
  FeatureTable(const Model& model, const WindowCode& code, std::span<const std::uint64_t> windows,
               std::span<const std::uint64_t> queries, const std::string& set);

  /// Rows of the table: windows fill whole packs, and so do the queries behind them.
  Index packs() const { return static_cast<Index>(own_.size()) / hot::pack; }
  Index row_of_query(Index query) const { return first_query_ + query; }
  std::size_t memory() const;

  /// u at a point; with a direction every number has its derivative.
  Features forward(const Point& at, const Point* along) const;

  /// Writes ∂/∂u of packs [begin, end) into [end − begin, H·d, parts, 8].
  using Pull = std::function<void(Index begin, Index end, double* u_bar)>;
  /// Derivatives in the plain blocks but a, and in σ where attention depends on no token, from
  /// those in u. Results are divided by `chains`.
  void backward(const Point& at, const Point* along, double chains, const Pull& pull, Gradient& out,
                Gradient* derivative) const;
  /// The same from some rows only, [packs, 8], to whose packs `pull` refers.
  void backward(const Point& at, const Point* along, double chains, std::span<const Index> some,
                const Pull& pull, Gradient& out, Gradient* derivative) const;

 private:
  hot::FeatureModel view() const;
  template <class S>
  std::vector<S> block_of(const Point& at, const Point* along) const;
  template <class S>
  void backward_as(const Point& at, const Point* along, double chains, std::span<const Index> some,
                   const Pull& pull, Gradient& out, Gradient* derivative) const;

  const hot::FeatureFunctions& functions_;
  Model model_;
  Index width_;                        ///< digits of a window
  Index first_query_;                  ///< row
  std::vector<std::int64_t> digit_;    ///< [H, M] digit that a component looks at; −1: none
  std::vector<std::uint16_t> digits_;  ///< [rows, width]
  std::vector<std::uint16_t> own_;     ///< [rows] the own token; d: none
};

}  // namespace gihflow
