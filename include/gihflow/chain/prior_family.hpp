#pragma once

#include <cstdint>

#include "gihflow/base/export.hpp"
#include "gihflow/base/random.hpp"

// What the families of priors have in common (1.7). Each is a struct with these members:
//   check(prior, errors)          adds the faults of the prior as one of this family;
//   draw(prior, chain, kernel)    writes π(e|z) of a chain into kernel [dⁿ, d], a pure function;
//   small_entries(prior)          b of P(π(e|z) < x) ~ x^b as x → 0 for some (z, e), slowly varying
//                                 factors aside: ∞ where entries are bounded away from 0, 0 where
//                                 entries are 0;
//   least_probability(prior)      largest known lower bound on all entries.
// The floor (1.3) is applied to every family by the functions of prior.hpp.

namespace GIHFLOW_API gihflow {

struct Prior;

/// Which chain is drawn. Its random numbers are a function of this key.
struct ChainKey {
  std::uint64_t seed = 1;
  Purpose purpose = Purpose::train;
  Index number = 0;

  /// The random stream of the chain for one kind of variate.
  Stream stream(Variate variate) const { return {seed, purpose, variate, number}; }
};

}  // namespace gihflow
