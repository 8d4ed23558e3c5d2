#pragma once

#include <limits>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "gihflow/base/export.hpp"
#include "gihflow/chain/sequence.hpp"
#include "gihflow/flow/compare.hpp"
#include "gihflow/run/config.hpp"

namespace GIHFLOW_API gihflow {

/// A validated setting with its input files read: everything that a command starts from.
struct Problem {
  Groups groups = 0;                                 ///< of the command's setting
  Setting setting;                                   ///< with the values that files fix
  std::shared_ptr<const Sequences> data;             ///< null: chains are drawn
  std::shared_ptr<const Sequences> validation_data;  ///< null: drawn, or none
  std::shared_ptr<const Kernels> kernels;            ///< null: drawn from the prior
  std::optional<Parameters> parameters;              ///< none: the initial point
  bool parents_known = true;                         ///< false: given data without the attribute
  std::set<Field> unused;                            ///< options without effect here
  std::vector<Phrase> notes;
  std::shared_ptr<const Resumption> resumed;  ///< the run to continue; null: a new one

  /// Whether the command's setting has a group.
  template <class Group>
  bool has() const {
    return (groups_of<Group> & ~groups) == 0;
  }
  /// Whether the context is infinite (5.1).
  bool infinite() const { return setting.context == ContextLength::infinite; }
  /// The sequences of the command, given or drawn. Throws InputError.
  std::shared_ptr<const SequenceSource> chains() const;
  /// Validation sequences; null without any.
  std::shared_ptr<const SequenceSource> validation_chains() const;
  /// The prior of its chains; GivenKernels for given kernels.
  Prior prior() const { return kernels ? prior_of(kernels) : setting.sampling.prior; }
  /// Kernels of the first chains, at most `most`, given or drawn, for `rank` and infinite context.
  /// Throws InputError.
  std::shared_ptr<const Kernels> chain_kernels(
      Index most = std::numeric_limits<Index>::max()) const;
  /// Validation kernels in infinite context; null without any.
  std::shared_ptr<const Kernels> validation_kernels() const;
  /// Options of gradient descent, for method gd.
  DescentOptions descent() const;
  /// Options of `compare`.
  CompareOptions comparison() const;
  /// Parameters to start from, or to evaluate at.
  Parameters start() const;
  /// Provenance for a file with this problem's results.
  Provenance provenance() const;
};

/// Options of gradient descent, without `resample`.
DescentOptions descent_options(const Setting& setting);

/// Reads the input files of a setting, sets what they fix, and checks all options, also against
/// each other. Throws InputError with all faults, those in `assembled` first. With `setting.resume`
/// it gives the problem of that run file, see run/resume.hpp; if nothing is left to do for the run
/// its input files are not read.
Problem prepare(Assembled assembled);
/// The same for the setting of one command, filled by a caller of the library.
template <class S>
requires(std::is_base_of_v<ChainSetting, S> && !std::is_base_of_v<Setting, S>) Problem
    prepare(const S& setting) {
  return prepare(Assembled{Setting(setting), groups_of<S>});
}

}  // namespace gihflow
