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

/// All settings that a user can give, in alphabetical order.
#define GIHFLOW_FIELDS                                                                             \
  a_init, all, alpha, alphas, atol, batch, boundary, c_init, chains, checkpoint_every, collect,    \
      config, context, data, degree, device, directory, dry_run, engine, epsilon, first_output,    \
      floor, force, fresh_chains, from, head_lags, head_normalization, head_windows, heads,        \
      initial_law, integrator, jobs, json, kernels, kernels_output, labels, lags, learning_rate,   \
      learning_rates, length, lengths, max_steps, max_wall, method, optimizer, output, outputs,    \
      own_position, parameters, parents, passage, positions, preset, prior, purpose, qk_init,      \
      query, quiet, rate_schedule, readout, rectify, rectify_width, replicas, resample, resume,    \
      rtol, run, sbatch, scores, seed, shard, stage, stages, status, task, text, text_as, threads, \
      tolerance, validation_chains, validation_data, value_init, values, vocabulary, w_other,      \
      w_own, warm_up, window

/// A setting. `name(Field)` is its name in a config file; the command line and Python spell it
/// differently, see Spelling. Field::none marks a fault of something that is not a setting, such as
/// the contents of a file or an argument of a function.
enum class Field : unsigned char { none, GIHFLOW_FIELDS };
/// "alpha", "head-windows": the name in a config file; empty for Field::none.
std::string_view name(Field field);
/// The setting of that name; Field::none for an unknown name.
Field field_named(std::string_view name);

/// Part of a message in which settings may be named: Phrase("not exact with ", Field::initial_law,
/// " stationary"). How a setting is spelled is decided only when the text is made, by words().
class Phrase {
 public:
  /// Text, or a setting.
  using Part = std::variant<std::string, Field>;

  Phrase() = default;
  /// Text and settings in order.
  template <class... Parts>
  requires(sizeof...(Parts) > 0 && (std::constructible_from<Part, Parts> && ...))
      Phrase(Parts&&... parts)
      : parts_{Part(std::forward<Parts>(parts))...} {}
  /// From a list of parts.
  explicit Phrase(std::vector<Part> parts) : parts_(std::move(parts)) {}

  /// Whether it has no parts.
  bool empty() const noexcept { return parts_.empty(); }
  /// Its parts in order.
  const std::vector<Part>& parts() const noexcept { return parts_; }
  /// Appends the parts of another phrase.
  Phrase& operator+=(const Phrase& more) {
    parts_.insert(parts_.end(), more.parts_.begin(), more.parts_.end());
    return *this;
  }
  friend bool operator==(const Phrase&, const Phrase&) = default;

 private:
  std::vector<Part> parts_;
};

/// One thing wrong with an input: the setting, its value, and what is allowed.
struct Fault {
  Field field = Field::none;
  std::string value = {};  ///< as the user gave it; empty: the setting as a whole
  Phrase allowed = {};     ///< "must be above 0", "not exact with …"
  /// For a setting: the config file that gave it, empty for the command line or a caller of the
  /// library. For Field::none: where the fault is, a file and a place in it or an argument of a
  /// function.
  std::string where = {};

  friend bool operator==(const Fault&, const Fault&) = default;
};
/// The same fault with `whole`, such as a file, put before its place: "FILE: …".
Fault within(const std::string& whole, Fault fault);

/// Gives the name of a setting as a user knows it: --alpha on the command line, alpha= in Python.
using Spelling = std::function<std::string(Field)>;
/// The name in a config file, the same as name(field).
std::string plain_spelling(Field field);
/// The text of a phrase, its settings named by `spelling`.
std::string words(const Phrase& phrase, const Spelling& spelling = plain_spelling);

/// "alpha 0: must be above 0", "x.h5: /tokens[0, 3] 9: must be below 8"; empty parts are left out.
/// Settings that a config file gave are named as in a config file.
std::string sentence(const Fault& fault, const Spelling& spelling);

}  // namespace gihflow
