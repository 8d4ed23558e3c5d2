#pragma once

// The half of a model between its parameters and the features u^{(h)} of windows, (2.1),
// (2.5)–(2.8), and back: what chains and engines do not know. See README.md.

#include <cstdint>
#include <functional>
#include <span>
#include <vector>

#include "gihflow/base/fault.hpp"
#include "gihflow/population/objective.hpp"
#include "population/statistics.hpp"

namespace gihflow {

/// Whether the relative features of the hot loops serve a model: windows of consecutive lags, and
/// attention and values that depend on no token.
bool has_relative_features(const Model& model);
/// The first part of a model that they do not serve, in words: "scores tokens".
Phrase part_without_relative_features(const Model& model);

/// max(0, z), smoothed over the model's width (2.8); z where the model does not rectify.
double rectified(const Model& model, double z);

/// Features of a list of windows, each with the token that follows it where the model sees that.
class FeatureTable {
 public:
  /// Window keys as WindowCode::pair_key gives them, then queries: windows without a token of their
  /// own.
  FeatureTable(const Model& model, std::span<const std::uint64_t> windows,
               std::span<const std::uint64_t> queries);

  Index windows() const { return static_cast<Index>(own_.size()); }  ///< queries included
  std::size_t memory() const;

  /// u [H, d, windows] at a point; with a direction every number is followed by its derivative.
  std::vector<double> forward(const Point& at, const Point* along) const;

  /// Derivatives in the plain blocks but a, and in σ where attention depends on no token, from
  /// those in u: `pull` writes ∂/∂u [H, d] of one window, as many numbers as in forward, into the
  /// second argument. Results are divided by `chains`.
  void backward(const Point& at, const Point* along, double chains,
                const std::function<void(Index window, double* u_bar)>& pull, Gradient& out,
                Gradient* derivative) const;
  /// The same from some windows only.
  void backward(const Point& at, const Point* along, double chains, std::span<const Index> some,
                const std::function<void(Index, double*)>& pull, Gradient& out,
                Gradient* derivative) const;

 private:
  template <class S>
  struct Block;
  template <class S>
  struct Head;
  template <class S>
  Block<S> block_of(const Point& at, const Point* along) const;
  template <class S>
  void look(const Block<S>& block, Index window, Index head, Head<S>& out) const;
  template <class S>
  void back(const Block<S>& block, Index head, const Head<S>& seen, const S* u_bar,
            Block<S>& sums) const;
  template <class S>
  void forward_as(const Point& at, const Point* along, double* out) const;
  template <class S>
  void backward_as(const Point& at, const Point* along, double chains, std::span<const Index> some,
                   const std::function<void(Index, double*)>& pull, Gradient& out,
                   Gradient* derivative) const;

  Model model_;
  Index width_;                        ///< digits of a window
  std::vector<Index> digit_;           ///< [H, M] digit that a component looks at; −1: none
  std::vector<std::uint16_t> digits_;  ///< [windows, width]
  std::vector<std::uint16_t> own_;     ///< [windows] the own token; d: none
};

}  // namespace gihflow
