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

/// A setting with its input files read: everything that a command starts from, found to be valid.
struct Problem {
  Groups groups = 0;                                 ///< that the command's setting has
  Setting setting;                                   ///< with what the files fix filled in
  std::shared_ptr<const Sequences> data;             ///< null: chains are drawn
  std::shared_ptr<const Sequences> validation_data;  ///< null: drawn, or none
  std::shared_ptr<const Kernels> kernels;            ///< null: drawn from the prior
  std::optional<Parameters> parameters;              ///< none: the initial point
  bool parents_known = true;                         ///< false: given data that do not say
  std::set<Field> unused;                            ///< options without effect here
  std::vector<Phrase> notes;
  std::shared_ptr<const Resumption> resumed;  ///< the run that goes on; null: a new one

  /// Whether the command's setting has a group.
  template <class Group>
  bool has() const {
    return (groups_of<Group> & ~groups) == 0;
  }
  /// Whether the context is infinite (5.1).
  bool infinite() const { return setting.context == ContextLength::infinite; }
  /// Sequences of the command's purpose: given, or drawn. Throws InputError.
  std::shared_ptr<const SequenceSource> chains() const;
  /// Validation sequences; null without any.
  std::shared_ptr<const SequenceSource> validation_chains() const;
  /// The prior of its chains; given kernels are one too.
  Prior prior() const { return kernels ? prior_of(kernels) : setting.sampling.prior; }
  /// Kernels of the command's purpose, given or drawn: what `rank` and infinite context start from.
  /// Those of the first chains, at most so many. Throws InputError.
  std::shared_ptr<const Kernels> chain_kernels(
      Index most = std::numeric_limits<Index>::max()) const;
  /// Validation kernels in infinite context; null without any.
  std::shared_ptr<const Kernels> validation_kernels() const;
  /// How gradient descent is to go, with method gd.
  DescentOptions descent() const;
  /// What `compare` compares.
  CompareOptions comparison() const;
  /// Parameters to start from, or to evaluate at.
  Parameters start() const;
  /// What a file with this problem's results says of where they come from.
  Provenance provenance() const;
};

/// How gradient descent is to go, but for chains that are drawn afresh.
DescentOptions descent_options(const Setting& setting);

/// Reads the input files of a setting, takes over what they fix, and checks every option and how
/// they fit together, so that work can begin. Throws InputError with all faults, those in
/// `assembled` first. With `setting.resume` it is the problem of that run file, see run/resume.hpp;
/// of a run with nothing left to do the input files are not read.
Problem prepare(Assembled assembled);
/// The same for the settings of one command, as a caller of the library fills them.
template <class S>
requires(std::is_base_of_v<ChainSetting, S> && !std::is_base_of_v<Setting, S>) Problem
    prepare(const S& setting) {
  return prepare(Assembled{Setting(setting), groups_of<S>});
}

}  // namespace gihflow
