#pragma once

#include <cstdint>
#include <vector>

#include "gihflow/chain/kernel.hpp"
#include "gihflow/model/model.hpp"

namespace gihflow {

/// The stationary law μ^π(Z, e) of a window and the token after it of every chain, as the product
/// μ^π(Z)·T(e|s) of (5.1): the token depends on Z through a state s alone. The state is the tokens
/// at the parents if the model uses all their lags, and else the whole window. Windows are ordered
/// by state, as many for each.
struct WindowLaws {
  Index chains, vocabulary, windows, states;
  Index stride;                       ///< number of windows, rounded up to whole packs
  std::vector<std::uint64_t> window;  ///< [windows] their numbers, see WindowCode, in that order
  std::vector<std::uint32_t> state;   ///< [stride] the state of each window
  std::vector<double> law;            ///< [chains, stride] μ(Z), 0 behind the last window
  std::vector<double> next;           ///< [chains, d, states] T(e|s)

  /// [chains, d, windows] μ(Z, e).
  std::vector<double> joint() const;
};

/// The laws of all chains, in parallel. Throws InputError: a chain with more than one closed class
/// of states; and as stationary_lag_law() does.
WindowLaws window_laws(const Model& model, const Kernels& kernels);

}  // namespace gihflow
