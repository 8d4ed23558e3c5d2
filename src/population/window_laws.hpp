#pragma once

#include <cstdint>
#include <vector>

#include "gihflow/chain/kernel.hpp"
#include "gihflow/model/model.hpp"

namespace gihflow {

/// The stationary law μ^π(Z, e) of W + 1 tokens of every chain as a product: the token e depends on
/// the state of the window Z alone, which is its tokens at the parents where the model uses all
/// their lags, and else the whole window.
struct WindowLaws {
  Index chains, vocabulary, windows, states;
  Index stride;                       ///< windows in whole strips
  std::vector<std::uint64_t> window;  ///< [windows] numbers of windows, state by state
  std::vector<std::uint32_t> state;   ///< [stride] of windows in that order
  std::vector<double> law;            ///< [chains, stride] μ(Z), 0 behind the last window
  std::vector<double> next;           ///< [chains, d, states] T(e|s)

  /// [chains, d, windows] μ(Z, e).
  std::vector<double> joint() const;
};

/// Throws InputError where a chain has more than one closed class.
WindowLaws window_laws(const Model& model, const Kernels& kernels);

}  // namespace gihflow
