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

/// The settings that a user can give, in the order of their names.
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

/// A setting. Its name is that of a config file, `name(Field)`; the command line and Python spell
/// it their own way, see Spelling. A fault of something that is no setting, as a file or an
/// argument of a function, has Field::none.
enum class Field : unsigned char { none, GIHFLOW_FIELDS };
/// "alpha", "head-windows": the name in a config file; empty for Field::none.
std::string_view name(Field field);
/// The setting of that name; Field::none where there is none.
Field field_named(std::string_view name);

/// Words of a sentence that may mention settings: Phrase("not exact with ", Field::initial_law,
/// " stationary"). The mentions are spelled where the sentence is made.
class Phrase {
 public:
  /// Words, or the name of a setting.
  using Part = std::variant<std::string, Field>;

  Phrase() = default;
  /// Words and names of settings one after another.
  template <class... Parts>
  requires(sizeof...(Parts) > 0 && (std::constructible_from<Part, Parts> && ...))
      Phrase(Parts&&... parts)
      : parts_{Part(std::forward<Parts>(parts))...} {}
  /// The given parts.
  explicit Phrase(std::vector<Part> parts) : parts_(std::move(parts)) {}

  /// Whether it says nothing.
  bool empty() const noexcept { return parts_.empty(); }
  /// What it is made of, in order.
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

/// One thing wrong with an input: what it is about, what it was, and what is allowed.
struct Fault {
  Field field = Field::none;
  std::string value = {};  ///< as it was given; empty: the setting as a whole
  Phrase allowed = {};     ///< "must be above 0", "not exact with …"
  /// Of a setting the config file that gave it, empty for the command line and a caller. Else what
  /// the fault is in: a file and a place in it, an argument of a function.
  std::string where = {};

  friend bool operator==(const Fault&, const Fault&) = default;
};
/// The fault as one of a larger whole: "FILE: …".
Fault within(const std::string& whole, Fault fault);

/// How settings are called where a sentence is read: --alpha on the command line, alpha= in Python.
using Spelling = std::function<std::string(Field)>;
/// The names of a config file.
std::string plain_spelling(Field field);
/// The words of a phrase.
std::string words(const Phrase& phrase, const Spelling& spelling = plain_spelling);

/// "alpha 0: must be above 0", "x.h5: /tokens[0, 3] 9: must be below 8"; parts that are empty are
/// left out. Settings that a config file gave are called as there.
std::string sentence(const Fault& fault, const Spelling& spelling);

}  // namespace gihflow
