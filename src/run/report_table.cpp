// The page of a table of runs.

#include <algorithm>

#include "gihflow/run/collect.hpp"
#include "run/report_parts.hpp"

namespace gihflow {

namespace {

// One entry of a column, for every row.
Json entry_json(const ReadColumn& column, std::size_t entry) {
  Json json{{"name", column.name + column.entries[entry]},
            {"meaning", column.meaning},
            {"units", column.units}};
  if (!column.texts.empty()) {
    json["texts"] = column.texts;
    return json;
  }
  std::vector<double> numbers;
  for (std::size_t i = entry; i < column.numbers.size(); i += column.entries.size())
    numbers.push_back(column.numbers[i]);
  json["numbers"] = base64_reals(numbers);
  return json;
}

}  // namespace

std::string table_page(const std::string& name, const SweepTable& table) {
  const std::vector<std::string> known = table_columns();
  const auto place = [&](const ReadColumn& column) {
    return std::find(known.begin(), known.end(), column.name) - known.begin();
  };
  std::vector<const ReadColumn*> swept, others;
  for (const ReadColumn& column : table.columns) {
    const bool is_known = place(column) < static_cast<std::ptrdiff_t>(known.size());
    (is_known ? others : swept).push_back(&column);
  }
  std::stable_sort(others.begin(), others.end(),
                   [&](const auto* a, const auto* b) { return place(*a) < place(*b); });
  Json columns = Json::array(), options = Json::array();
  for (const ReadColumn* const column : swept) options.push_back(column->name);
  swept.insert(swept.end(), others.begin(), others.end());
  for (const ReadColumn* const column : swept) {
    for (std::size_t entry = 0; entry < column->entries.size(); ++entry)
      columns.push_back(entry_json(*column, entry));
  }
  return page_of({{"table",
                   {{"name", name},
                    {"rows", table.rows},
                    {"plan", table.plan},
                    {"program_version", table.program_version},
                    {"git_commit", table.git_commit},
                    {"swept", options},
                    {"columns", columns}}}},
                 {"base.js", "curves.js", "table.js"});
}

}  // namespace gihflow
