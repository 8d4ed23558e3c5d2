#pragma once

#include <concepts>
#include <functional>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include "gihflow/base/export.hpp"

namespace GIHFLOW_API gihflow {

/// A setting that a user can give. Its name is that of a config file, `name(Field)`; the command
/// line and Python spell it their own way, see Spelling.
enum class Field : unsigned char {
  none,  ///< a fault of something that is no setting: a file, an argument of a function
  a_init,
  all,
  alpha,
  alphas,
  atol,
  batch,
  boundary,
  c_init,
  chains,
  checkpoint_every,
  config,
  context,
  data,
  degree,
  device,
  dry_run,
  engine,
  epsilon,
  first_output,
  floor,
  force,
  fresh_chains,
  from,
  head_normalization,
  head_windows,
  heads,
  initial_law,
  integrator,
  json,
  kernels,
  kernels_output,
  labels,
  learning_rate,
  learning_rates,
  length,
  lengths,
  max_steps,
  max_wall,
  method,
  optimizer,
  output,
  outputs,
  parameters,
  parents,
  preset,
  prior,
  quiet,
  readout,
  resample,
  resume,
  rtol,
  run,
  seed,
  stage,
  stages,
  threads,
  tolerance,
  validation_chains,
  validation_data,
  vocabulary,
  w_other,
  w_own,
  window,
};
/// "alpha", "head-windows": the name in a config file; empty for Field::none.
std::string_view name(Field field);

/// Words of a sentence that may mention settings: Phrase("not exact with ", Field::initial_law,
/// " stationary"). The mentions are spelled where the sentence is made.
class Phrase {
 public:
  using Part = std::variant<std::string, Field>;

  Phrase() = default;
  template <class... Parts>
  requires(sizeof...(Parts) > 0 && (std::constructible_from<Part, Parts> && ...))
      Phrase(Parts&&... parts)
      : parts_{Part(std::forward<Parts>(parts))...} {}

  bool empty() const noexcept { return parts_.empty(); }
  const std::vector<Part>& parts() const noexcept { return parts_; }
  friend bool operator==(const Phrase&, const Phrase&) = default;

 private:
  std::vector<Part> parts_;
};

/// One thing wrong with an input: what it is about, what it was, and what is allowed.
struct Fault {
  Field field = Field::none;
  std::string value = {};  ///< as it was given; empty: the setting as a whole
  Phrase allowed = {};     ///< "must be above 0", "not exact with …"
  std::string where =
      {};  ///< file and place in it, or the argument of a function; empty: the setting

  friend bool operator==(const Fault&, const Fault&) = default;
};

/// How settings are called where a sentence is read: --alpha on the command line, alpha in a config
/// file, alpha= in Python.
struct Spelling {
  std::function<std::string(Field)> mention;  ///< within a sentence
  std::function<std::string(Field)> subject;  ///< at its start, with where the value came from
};
/// The names of a config file.
Spelling plain_spelling();

/// "alpha 0: must be above 0", "x.h5: tokens 9: must be below vocabulary 8"; parts that are empty
/// are left out.
std::string sentence(const Fault& fault, const Spelling& spelling);

}  // namespace gihflow
