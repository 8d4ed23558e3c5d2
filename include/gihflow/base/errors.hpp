#pragma once

#include <initializer_list>
#include <set>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include "gihflow/base/export.hpp"
#include "gihflow/base/fault.hpp"

namespace GIHFLOW_API gihflow {

/// Bad input or usage; the program exits with code 2. Holds every fault that was found; `what()`
/// gives one sentence per line for each, with the names of settings in a config file.
class InputError : public std::runtime_error {
 public:
  /// One fault.
  explicit InputError(Fault fault);
  /// All faults of an input, at least one.
  explicit InputError(std::vector<Fault> faults);
  /// The faults, in the order in which they were found.
  const std::vector<Fault>& faults() const noexcept { return faults_; }

 private:
  std::vector<Fault> faults_;
};

/// Writing an output failed while the program ran (disk full, directory removed); the program exits
/// with code 4.
class WriteError : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

/// Collects every fault of an input before any is thrown, so that a user sees all at once.
class ErrorList {
 public:
  /// Adds a fault; its field counts as unusable, see about().
  void add(Fault fault) { add(fault.field, std::move(fault)); }
  /// Adds a fault that makes the setting `unusable`, for a fault whose own field is another one: a
  /// fault inside the file that the setting names.
  void add(Field unusable, Fault fault);
  /// Adds the faults and unusable settings of another list.
  void add(const ErrorList& others);
  /// Whether no fault was found.
  bool empty() const noexcept { return faults_.empty(); }
  /// The faults, in the order in which they were found.
  const std::vector<Fault>& faults() const& noexcept { return faults_; }
  /// The same, moved out of a temporary list.
  std::vector<Fault> faults() && noexcept { return std::move(faults_); }
  /// Whether a fault made any of these settings unusable; callers then skip checks that need them.
  bool about(std::initializer_list<Field> fields) const;
  /// Throws InputError with all faults if there is any.
  void throw_if_any() const;

 private:
  std::vector<Fault> faults_;
  std::set<Field> unusable_;
};

}  // namespace gihflow
