#pragma once

#include <string>

#include "gihflow/base/export.hpp"
#include "gihflow/base/types.hpp"

namespace GIHFLOW_API gihflow {

/// Which positions l take part in (2.3). masked: W < l ≤ L, needs L > W. partial: every position;
/// the softmax of (2.1) runs over the lags that exist there, formula (4.4).
enum class Boundary { masked, partial };
/// Which lags head h (1-based) sees. shared: 1 … M. shifted: h … h+M−1.
enum class HeadWindows { shared, shifted };
/// Normalisation of v^{(h)}. l2: v ← v / (‖v‖₂ + 1e-7), formula (4.5).
enum class HeadNormalization { none, l2 };
/// log: loss (2.4). softmax: cross-entropy with y taken as logits.
enum class Readout { log, softmax };

/// The disentangled two-attention-layer transformer TF(M,H,d,D) of theory §2, without parameters.
struct Model {
  Index vocabulary = 3;  ///< d
  Index window = 3;      ///< M, lags that a head sees
  Index heads = 3;       ///< H
  Index degree = 2;      ///< D, 0 ≤ D ≤ H
  Boundary boundary = Boundary::masked;
  HeadWindows head_windows = HeadWindows::shared;
  HeadNormalization head_normalization = HeadNormalization::none;
  Readout readout = Readout::log;
  double epsilon = 0.01;  ///< ε of (2.4), ≥ 0; unused with readout softmax

  /// W, the widest lag that any head sees: M with shared windows, M+H−1 with shifted ones.
  Index widest() const { return head_windows == HeadWindows::shared ? window : window + heads - 1; }
  /// Lag (≥ 1) that component i (0-based) of head h (0-based) looks at, lag_h(i) of (2.1).
  Index lag(Index head, Index component) const {
    return (head_windows == HeadWindows::shared ? 0 : head) + component + 1;
  }
  /// Number of subsets [H]_{≤D}.
  Index subsets() const;

  bool operator==(const Model&) const = default;
};

}  // namespace gihflow
