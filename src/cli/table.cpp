#include "cli/table.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

namespace gihflow::cli {

namespace {

// Columns of a UTF-8 text on a terminal, where each character that we print takes one.
std::size_t columns(const std::string& text) {
  return static_cast<std::size_t>(std::count_if(text.begin(), text.end(), [](char c) {
    return (static_cast<unsigned char>(c) & 0xc0) != 0x80;
  }));
}

std::string padding(const std::string& text, std::size_t width) {
  return std::string(width - std::min(width, columns(text)), ' ');
}

}  // namespace

std::string Table::text() const {
  std::vector<std::size_t> widths;
  for (const auto& row : rows_) {
    widths.resize(std::max(widths.size(), row.size()));
    for (std::size_t i = 0; i < row.size(); ++i) widths[i] = std::max(widths[i], columns(row[i]));
  }
  std::string result;
  for (const auto& row : rows_) {
    std::string line;
    for (std::size_t i = 0; i < row.size(); ++i) {
      const std::string space = padding(row[i], widths[i]);
      line += i == 0 ? row[i] + space : "  " + space + row[i];
    }
    line.erase(line.find_last_not_of(' ') + 1);
    result += line + "\n";
  }
  return result;
}

std::string Fields::text() const {
  std::size_t width = 0;
  for (const auto& row : rows_) width = std::max(width, columns(row[0]));
  std::string result;
  for (const auto& row : rows_) result += row[0] + padding(row[0], width) + "  " + row[1] + "\n";
  return result;
}

std::string Footnotes::mark(const std::string& text) {
  if (text.empty()) return "";
  auto known = std::find(texts_.begin(), texts_.end(), text);
  if (known == texts_.end()) known = texts_.insert(texts_.end(), text);
  return fmt::format(" [{}]", known - texts_.begin() + 1);
}

std::string Footnotes::text() const {
  std::string result;
  for (std::size_t i = 0; i < texts_.size(); ++i) {
    result += fmt::format("[{}] {}\n", i + 1, texts_[i]);
  }
  return result;
}

std::string number(double value) {
  return std::isnan(value) ? "-" : fmt::format("{:.6g}", value);
}

std::string small_number(double value) {
  return std::isnan(value) ? "-" : fmt::format("{:.2e}", value);
}

std::string with_error(double value, double error) {
  if (!std::isfinite(error)) return number(value);
  return fmt::format("{:.5f} ± {:.5f}", value, error);
}

}  // namespace gihflow::cli
