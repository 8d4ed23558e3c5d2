#include "gihflow/base/fault.hpp"

#include <array>
#include <cstddef>

namespace gihflow {

namespace {

// In the order of Field.
constexpr auto names = std::to_array<std::string_view>({
    "",
    "a-init",
    "all",
    "alpha",
    "alphas",
    "atol",
    "batch",
    "boundary",
    "c-init",
    "chains",
    "checkpoint-every",
    "config",
    "context",
    "data",
    "degree",
    "device",
    "dry-run",
    "engine",
    "epsilon",
    "first-output",
    "floor",
    "force",
    "fresh-chains",
    "from",
    "head-normalization",
    "head-windows",
    "heads",
    "initial-law",
    "integrator",
    "json",
    "kernels",
    "kernels-output",
    "labels",
    "learning-rate",
    "learning-rates",
    "length",
    "lengths",
    "max-steps",
    "max-wall",
    "method",
    "optimizer",
    "output",
    "outputs",
    "parameters",
    "parents",
    "preset",
    "prior",
    "quiet",
    "readout",
    "resample",
    "resume",
    "rtol",
    "run",
    "seed",
    "stage",
    "stages",
    "threads",
    "tolerance",
    "validation-chains",
    "validation-data",
    "vocabulary",
    "w-other",
    "w-own",
    "window",
});
static_assert(names.size() == static_cast<std::size_t>(Field::window) + 1);

std::string words(const Phrase& phrase, const Spelling& spelling) {
  std::string text;
  for (const Phrase::Part& part : phrase.parts()) {
    if (const Field* field = std::get_if<Field>(&part))
      text += spelling.mention(*field);
    else
      text += std::get<std::string>(part);
  }
  return text;
}

}  // namespace

std::string_view name(Field field) {
  return names[static_cast<std::size_t>(field)];
}

Spelling plain_spelling() {
  const auto plain = [](Field field) { return std::string(name(field)); };
  return {plain, plain};
}

std::string sentence(const Fault& fault, const Spelling& spelling) {
  std::string text = fault.where;
  if (fault.field != Field::none) {
    if (!text.empty()) text += ": ";
    text += spelling.subject(fault.field);
    if (!fault.value.empty()) text += ' ' + fault.value;
  } else if (!fault.value.empty()) {
    if (!text.empty()) text += ": ";
    text += fault.value;
  }
  if (fault.allowed.empty()) return text;
  if (!text.empty()) text += ": ";
  return text + words(fault.allowed, spelling);
}

}  // namespace gihflow
