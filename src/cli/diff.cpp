#include "gihflow/record/difference.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>

#include "cli/commands.hpp"
#include "cli/json.hpp"
#include "cli/table.hpp"
#include "gihflow/base/errors.hpp"

namespace gihflow::cli {

namespace {

std::string position(const OutputPosition& output) {
  return fmt::format("stage {}, output {}, t = {}", output.stage, output.index, number(output.t));
}

std::string words(const std::string& text) {
  return text.empty() ? "-" : text;
}

Json json_position(const std::optional<OutputPosition>& output) {
  if (!output) return nullptr;
  return {{"stage", output->stage}, {"index", output->index}, {"t", output->t}};
}

Json json_words(const std::vector<WordDifference>& differences) {
  return json_list(differences, [](const WordDifference& difference) {
    return Json{{"name", difference.name}, {"a", difference.a}, {"b", difference.b}};
  });
}

Json json_dataset(const DatasetDifference& dataset) {
  Json json = json_difference(dataset.name, dataset.numbers);
  json["first"] = json_position(dataset.first);
  if (!dataset.what.empty()) json["incomparable"] = dataset.what;
  return json;
}

std::string as_json(const FileDifference& difference) {
  return to_text({{"equal", difference.equal()},
                  {"first", json_position(difference.first)},
                  {"datasets", json_list(difference.datasets, json_dataset)},
                  {"attributes", json_words(difference.attributes)},
                  {"config", json_words(difference.config)},
                  {"program", json_words(difference.program)}});
}

std::string datasets_table(const FileDifference& difference) {
  Table table;
  table.add({"dataset", "numbers", "different", "absolute", "relative", "ULP", "first"});
  for (const DatasetDifference& dataset : difference.datasets) {
    if (!dataset.differs()) continue;
    if (!dataset.what.empty()) {
      table.add({dataset.name, "", "", "", "", "", dataset.what});
      continue;
    }
    const NumberDifference& numbers = dataset.numbers;
    table.add({dataset.name, fmt::format("{}", numbers.entries),
               fmt::format("{}", numbers.different), small_number(numbers.absolute),
               small_number(numbers.relative), fmt::format("{}", numbers.ulp),
               dataset.first ? position(*dataset.first) : fmt::format("entry {}", numbers.first)});
  }
  return table.text();
}

std::string words_table(const std::string& title, const std::vector<WordDifference>& differences,
                        const Invocation& files) {
  if (differences.empty()) return "";
  Table table;
  table.add({title, files.file, files.files[1]});
  for (const WordDifference& difference : differences) {
    table.add({difference.name, words(difference.a), words(difference.b)});
  }
  return fmt::format("\n{}", table.text());
}

std::string as_table(const FileDifference& difference, const Invocation& files) {
  std::size_t numbers = 0;
  for (const DatasetDifference& dataset : difference.datasets) numbers += dataset.numbers.entries;
  const auto differ =
      std::count_if(difference.datasets.begin(), difference.datasets.end(),
                    [](const DatasetDifference& dataset) { return dataset.differs(); });
  std::string text =
      difference.equal()
          ? fmt::format("equal bit for bit: {} numbers in {} datasets\n", numbers,
                        difference.datasets.size())
          : fmt::format("different: {} of {} datasets\n", differ, difference.datasets.size());
  if (difference.first) {
    text += fmt::format("first output that differs: {}, in {}\n", position(*difference.first),
                        fmt::join(difference.first_names, ", "));
  }
  if (differ > 0) text += fmt::format("\n{}", datasets_table(difference));
  return text + words_table("attribute", difference.attributes, files) +
         words_table("config", difference.config, files) +
         words_table("program", difference.program, files);
}

}  // namespace

int diff(const Invocation& invocation) {
  invocation.faults.throw_if_any();
  const FileDifference difference =
      compare_files(invocation.file, invocation.files[1], Isolation::child);
  print(invocation.line.values.contains(Field::json) ? as_json(difference)
                                                     : as_table(difference, invocation));
  return difference.equal() ? 0 : 1;
}

}  // namespace gihflow::cli
