#pragma once

#include <string>
#include <vector>

#include "gihflow/base/export.hpp"
#include "gihflow/base/types.hpp"

namespace GIHFLOW_API gihflow {

/// Which positions l take part in (2.3). masked: W < l ≤ L, needs L > W. partial: every position;
/// the softmax of (2.1) runs over the lags that exist there, formula (4.4).
enum class Boundary { masked, partial };
/// Which lags head h (1-based) sees. shared: 1 … M. shifted: h … h+M−1.
enum class HeadWindows { shared, shifted };
/// Normalisation of v^{(h)}. l2: v ← v / (‖v‖₂ + 1e-7), formula (4.5). layer: layer norm with a
/// trained gain and bias, (2.8). rms: v ← v / √(‖v‖₂²/d + 1e-5), formula (2.10).
enum class HeadNormalization { none, l2, layer, rms };
/// What the scores of the first attention depend on. tokens: also on the tokens at both positions,
/// by query and key matrices (2.6).
enum class Scores { positions, tokens };
/// What a head averages over the tokens that it sees: their one-hot vectors, or these times a
/// trained matrix (2.7).
enum class HeadValues { identity, matrix };
/// log: loss (2.4). softmax: cross-entropy with y taken as logits.
enum class Readout { log, softmax };
/// Which tokens of a sequence enter the loss (1.6). last: x_{L+1}. all: every token whose prefix
/// has an admitted position, each predicted from its own prefix.
enum class Positions { last, all };

/// The disentangled two-attention-layer transformer TF(M,H,d,D) of theory §2, without parameters
/// (Chen, Sheen, Wang, Yang, NeurIPS 2024, arXiv:2409.10559).
struct Model {
  Index vocabulary = 3;  ///< d
  Index window = 3;      ///< M, number of lags that a head sees
  Index heads = 3;       ///< H
  Index degree = 2;      ///< D, 0 ≤ D ≤ H
  Boundary boundary = Boundary::masked;
  HeadWindows head_windows = HeadWindows::shared;
  HeadNormalization head_normalization = HeadNormalization::none;
  Readout readout = Readout::log;
  double epsilon = 0.01;  ///< ε of (2.4), ≥ 0; unused with readout softmax
  /// Lags of each head, increasing, or one list for all heads, instead of those of head_windows
  /// (2.5); M is then the length of the longest list. Empty: head_windows.
  std::vector<std::vector<Index>> head_lags = {};
  Scores scores = Scores::positions;
  bool own_position = false;  ///< every head also sees the position itself (2.6)
  HeadValues values = HeadValues::identity;
  bool rectify = false;        ///< t_h = max(0, ⟨u, u'⟩), smoothed over rectify_width (2.8)
  double rectify_width = 0.0;  ///< δ of (2.8), ≥ 0
  Positions positions = Positions::last;

  /// W, the widest lag that any head sees: M with shared windows, M+H−1 with shifted ones.
  Index widest() const;
  /// Length of the shortest context that has an admitted position.
  Index shortest_context() const { return boundary == Boundary::masked ? widest() + 1 : 1; }
  /// Number of tokens of a sequence of length L that enter the loss, the last ones.
  Index asked(Index length) const {
    return positions == Positions::all ? length - shortest_context() + 1 : 1;
  }
  /// Lag (≥ 1) of component i (0-based) of head h (0-based), lag_h(i) of (2.1); 0 if the head's
  /// list of lags is shorter.
  Index lag(Index head, Index component) const {
    if (head_lags.empty()) return (head_windows == HeadWindows::shared ? 0 : head) + component + 1;
    const std::vector<Index>& lags = lags_of(head);
    return component < static_cast<Index>(lags.size()) ? lags[static_cast<std::size_t>(component)]
                                                       : 0;
  }
  /// The list of lags of a head (0-based); head_lags must not be empty.
  const std::vector<Index>& lags_of(Index head) const {
    return head_lags[head_lags.size() == 1 ? 0 : static_cast<std::size_t>(head)];
  }
  /// The lags that any head sees, increasing: a window is the tokens at them (2.5).
  std::vector<Index> used_lags() const;
  /// Number of possible windows: d^n for n used lags; with a partial boundary Σ_{j ≤ n} d^j, since
  /// at the first positions only the shortest lags exist. A double, since it may exceed 2^63.
  double window_count() const;
  /// Whether what a head sees at a position depends on the token there, so that windows are
  /// extended by it (4.6).
  bool sees_own_token() const { return scores == Scores::tokens || own_position; }
  /// Number of subsets [H]_{≤D}.
  Index subsets() const;

  bool operator==(const Model&) const = default;
};

}  // namespace gihflow
