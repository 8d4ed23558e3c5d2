#pragma once

// What all engines on sufficient statistics share: tables of a model's subsets and lags, the
// attention of a point in every window pattern, and the way from sums over chains to the mean
// gradient.

#include <vector>

#include "gihflow/model/model.hpp"
#include "gihflow/population/objective.hpp"
#include "population/views.hpp"

namespace gihflow {

/// σ of every window pattern [patterns, H, M], formula (4.4), and its derivative; `along` is empty
/// where there is no direction.
struct Attention {
  std::vector<double> sigma, along;
};

class ModelTables {
 public:
  /// relative: features are gathered from σ, so that blocks sum ∂/∂σ as well; else they come from a
  /// table of windows.
  ModelTables(const Model& model, bool relative);
  /// As a card needs them.
  explicit ModelTables(const Model& model);

  const Model& model() const { return model_; }
  /// W + 1 window patterns with partial windows, numbered by how many lags exist; else 1. None
  /// where features come from a table: the gradient is then that in p and a alone.
  Index patterns() const { return patterns_; }
  /// Number of sums of a block, see hot::partial_loss.
  Index sums() const {
    return hot::partial_p + model_.subsets() + patterns_ * model_.heads * model_.window;
  }
  const std::vector<std::uint32_t>& masks() const { return masks_; }
  const std::vector<std::int64_t>& first_lags() const { return first_lag_; }

  /// Points into this object.
  hot::ModelView view() const;
  Attention attention(const Point& at, const Point* along) const;
  /// Points into its arguments.
  static hot::PointView point(const Point& at, const Attention& attention, const Point* along);

  /// From sums over chains, sums() numbers and with a direction as many derivatives, to the mean
  /// gradient over `chains` chains: (4.3) for p and a, and each pattern's softmax Jacobian for w
  /// and σ. The loss is NaN unless with_loss.
  void gradient(const double* partial, double chains, const Point& at, const Attention& attention,
                const Point* along, Gradient& out, Gradient* derivative, bool with_loss) const;

 private:
  /// How many of the lags of head h exist in windows of a pattern. Lags grow with the component, so
  /// those that exist come first.
  Index existing_lags(Index pattern, Index h) const;

  Model model_;
  std::vector<std::uint32_t> masks_;
  std::vector<std::int32_t> parent_, last_;
  std::vector<std::int64_t> first_lag_;
  Index patterns_ = 1;
};

}  // namespace gihflow
