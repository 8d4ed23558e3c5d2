#include "gihflow/record/schema.hpp"

#include <doctest/doctest.h>
#include <fmt/format.h>
#include <fmt/ranges.h>

#include <fstream>
#include <iterator>

using namespace gihflow;

namespace {

// docs/schema.md, whose tables must be those that follow.
const std::string& page() {
  static const std::string text = [] {
    std::ifstream file(GIHFLOW_TEST_DATA "/../docs/schema.md");
    return std::string{std::istreambuf_iterator<char>(file), {}};
  }();
  return text;
}

std::string meaning_of(const Description& field) {
  const std::string note = field.note;
  return field.meaning + (note.empty() ? "" : (note.front() == '(' ? " " : "; ") + note);
}

std::string shape_of(const Description& field, std::vector<std::string> first = {}) {
  for (const char axis : std::string(field.axes))
    first.emplace_back(axis == 'S' ? "subsets" : std::string(1, axis));
  return first.empty() ? "" : fmt::format("[{}]", fmt::join(first, ", "));
}

std::string units_of(const Description& field) {
  return field.units == std::string("1") ? "" : field.units;
}

std::string row(const std::vector<std::string>& cells) {
  std::string text = "|";
  for (const std::string& cell : cells) text += cell.empty() ? " |" : " " + cell + " |";
  return text + "\n";
}

std::string name_of(const Description& field) {
  return fmt::format("`{}`", field.name);
}

template <class... Records>
std::string table_of_attributes() {
  std::string text = "| name | unit | meaning |\n|---|---|---|\n";
  const auto add = [&]<class Record>(std::span<const RecordField<Record>> all) {
    for (const auto& field : all) text += row({name_of(field), units_of(field), meaning_of(field)});
  };
  (add(fields<Records>()), ...);
  return text;
}

template <class Record>
std::string table_of_datasets() {
  std::string text = "| name | shape | unit | meaning |\n|---|---|---|---|\n";
  for (const RecordField<Record>& field : fields<Record>())
    text += row({name_of(field), shape_of(field), units_of(field), meaning_of(field)});
  return text;
}

std::string table_of_columns() {
  std::string text = "| name | shape | unit | meaning |\n|---|---|---|---|\n";
  for (const SnapshotColumn& column : snapshot_columns()) {
    if (column.in_runs())
      text +=
          row({name_of(column), shape_of(column, {"times"}), units_of(column), meaning_of(column)});
  }
  return text;
}

// The fields of a record in words: numbers of a state, in the order of its row.
template <class Record>
std::string list_of(bool integers) {
  std::vector<std::string> names;
  for (const RecordField<Record>& field : fields<Record>()) {
    const RecordValue value = field.get(Record());
    const bool integer =
        std::holds_alternative<bool>(value) || std::holds_alternative<Index>(value);
    if (integer == integers) names.push_back(name_of(field));
  }
  return fmt::format("{}", fmt::join(names, ", "));
}

void check_page(const std::string& part) {
  INFO("docs/schema.md must contain:\n" << part);
  CHECK(page().find(part) != std::string::npos);
}

}  // namespace

TEST_CASE("the tables of docs/schema.md are those of the schema") {
  check_page(table_of_columns());
  check_page(table_of_attributes<Provenance>());
  check_page(table_of_attributes<StageRecord, StepStatistics>());
  check_page(table_of_attributes<IntegratorSwitch>());
  check_page(table_of_datasets<Baselines>());
  check_page(table_of_datasets<RunAccuracy>());
  check_page(table_of_datasets<StandardErrors>());
  check_page(table_of_attributes<Execution>());
  check_page(table_of_attributes<ProcessRecord>());
}

TEST_CASE("docs/schema.md lists what comparisons and states hold") {
  std::vector<std::string> compared;
  for (const SnapshotColumn& column : snapshot_columns()) {
    if (column.in_comparisons()) compared.push_back(name_of(column));
  }
  check_page(fmt::format("X of the flow: {}", fmt::join(compared, ", ")));
  const std::string integers = list_of<StepStatistics>(true);
  check_page(fmt::format("`next_output`, {} so far", integers));
  check_page(
      fmt::format("| flow | {} | {} |\n", list_of<FlowState>(false), list_of<FlowState>(true)));
  check_page(fmt::format("| descent | {} | {} |\n", list_of<DescentState>(false),
                         list_of<DescentState>(true)));
  check_page(fmt::format("| `schema_version` | version of this layout, {};", run_schema_version));
}

TEST_CASE("a field gives back what it was set to") {
  const auto all = [](auto record) {
    using Record = decltype(record);
    for (const RecordField<Record>& field : fields<Record>()) {
      const RecordValue before = field.get(record);
      RecordValue other = before;
      if (auto* flag = std::get_if<bool>(&other)) *flag = !*flag;
      if (auto* number = std::get_if<Index>(&other)) *number = 7;
      if (auto* number = std::get_if<std::uint64_t>(&other)) *number = 7;
      if (auto* number = std::get_if<double>(&other)) *number = 0.5;
      if (auto* numbers = std::get_if<std::vector<double>>(&other)) *numbers = {1.0, 2.0};
      if (std::holds_alternative<std::monostate>(other))
        other = *field.axes == '\0' ? RecordValue(0.25) : RecordValue(std::vector{1.0, 2.0});
      if (auto* text = std::get_if<std::string>(&other)) {
        *text = field.name == std::string("outcome")   ? "reached"
                : field.name == std::string("trained") ? "cw"
                                                       : "text";
      }
      CAPTURE(field.name);
      CHECK(other != before);
      field.set(record, other);
      CHECK(field.get(record) == other);
    }
  };
  all(Provenance());
  all(StepStatistics());
  all(StageRecord());
  all(IntegratorSwitch());
  all(StepperState());
  all(FlowState());
  all(DescentState());
  all(ProcessRecord());
  all(Execution());
  all(Baselines());
  all(RunAccuracy());
  all(StandardErrors());
}
