#pragma once

#include <string>

#include "gihflow/run/problem.hpp"

namespace gihflow {

/// A problem under construction, with the faults found so far.
class Preparation {
 public:
  explicit Preparation(Assembled assembled);
  /// Throws InputError with all faults.
  Problem finish();

 private:
  Setting& setting() { return problem_.setting; }
  const Setting& setting() const { return problem_.setting; }
  // Whether the command uses only the kernels of the chains, not sequences.
  bool kernels_alone() const { return !problem_.has<SequenceSetting>() || problem_.infinite(); }
  bool given(Field field) const { return setting().given.contains(field); }
  void refuse(Fault fault) { faults_.add(located(setting(), std::move(fault))); }
  void refuse(const ErrorList& errors) {
    for (const Fault& fault : errors.faults()) refuse(fault);
  }

  // Ranges of settings, which a caller of the library may violate; the parser has already checked
  // them.
  void check_ranges();

  // Reads input files and sets what they fix; see preparation_files.cpp.
  void read_files();
  template <class Read>
  auto read(Field field, const std::string& path, Read reader)
      -> std::optional<decltype(reader(path, Isolation()))>;
  std::shared_ptr<const Sequences> sequences(Field field, const std::string& path,
                                             std::shared_ptr<const Sequences> held);
  std::shared_ptr<const Kernels> given_kernels();
  template <class T>
  void fix(Field field, T& member, const T& value, const std::string& path);
  void fix_vocabulary(Index vocabulary, const std::string& path);
  void fix_labels(const Sequences& data, const std::string& path);
  void use_data();
  void use_kernels();
  void use_text();
  void use_text_kernels();
  void use_passages();
  void use_validation_data();
  void no_validation(Phrase must);
  void use_parameters();
  void check_blocks(const Parameters& given, const std::string& path);
  void note_other_conventions(const std::string& path);

  // Checks of settings against each other, skipped for settings that already have a fault.
  void choose_chains();
  void check_task();
  void check_query();
  void find_unused();
  void check_chains();
  void check_model();
  void check_rectifier();
  void check_stages();
  void check_descent();
  void check_outputs();
  void check_output(Field field, const std::string& path);

  Problem problem_;
  Inputs inputs_;
  ErrorList faults_;
};

}  // namespace gihflow
