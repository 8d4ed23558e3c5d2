#pragma once

// The half of a model from its parameters to the features u^{(h)} of windows, (2.1), (2.5)–(2.8),
// (2.10), and back (4.7). It knows nothing of chains. See README.md.

#include <cstdint>
#include <functional>
#include <span>
#include <string>
#include <vector>

#include "gihflow/population/objective.hpp"
#include "population/statistics.hpp"
#include "population/views.hpp"

namespace gihflow {

/// Whether a model's features are relative, so that the hot loops gather inner products from its
/// attention instead of a table of windows: windows of consecutive lags that all exist, attention
/// that depends on no token, and u = v of (2.1).
bool has_relative_features(const Model& model);
/// Whether the card has an engine for a model: relative features, also with partial windows (4.4)
/// and the norm l2 (4.5).
bool has_card_features(const Model& model);

/// max(0, z), smoothed over the model's width (2.8); z where the model does not rectify.
double rectified(const Model& model, double z);

/// u [H, d] of windows in packs of eight; with a direction each pack is followed by its
/// derivatives.
struct Features {
  std::vector<hot::Line> lines;  ///< [H·d, packs, parts]
  Index packs = 0, parts = 1;    ///< parts: 2 with derivatives

  const double* data() const { return lines.front().number; }
  /// Component k = h·d + e of a window, or as part 1 its derivative.
  double at(Index k, Index window, Index part = 0) const {
    return data()[((k * packs + window / hot::pack) * parts + part) * hot::pack +
                  window % hot::pack];
  }
};

/// Features of a list of windows, each with its own token where the model sees that (4.6).
class FeatureTable {
 public:
  /// windows: keys as WindowCode::pair_key() gives them. queries: windows, whose own token is not
  /// known. The hot loops run in the version for `set`.
  FeatureTable(const Model& model, const WindowCode& code, std::span<const std::uint64_t> windows,
               std::span<const std::uint64_t> queries, const std::string& set);

  /// Packs of eight rows, windows first and then queries; each of the two fills whole packs.
  Index packs() const { return static_cast<Index>(own_.size()) / hot::pack; }
  Index row_of_query(Index query) const { return first_query_ + query; }
  std::size_t memory() const;

  /// u of all rows at a point, and with a direction its derivative.
  Features forward(const Point& at, const Point* along) const;

  /// Writes ∂/∂u of packs [begin, end) into [end − begin, H·d, parts, 8].
  using Pull = std::function<void(Index begin, Index end, double* u_bar)>;
  /// Writes the derivatives in the plain blocks other than a, and in σ where attention depends on
  /// no token, from ∂/∂u. `pull` gives sums over chains; results are divided by `chains`.
  void backward(const Point& at, const Point* along, double chains, const Pull& pull, Gradient& out,
                Gradient* derivative) const;
  /// The same from the rows `some` [packs, 8] alone; the packs of `pull` are those of this list.
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
  std::vector<std::int64_t> digit_;    ///< [H, M] see hot::FeatureModel
  std::vector<std::uint16_t> digits_;  ///< [rows, width]
  std::vector<std::uint16_t> own_;     ///< [rows] the own token; d: none
};

}  // namespace gihflow
