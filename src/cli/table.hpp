#pragma once

#include <string>
#include <vector>

namespace gihflow::cli {

/// A table in text: columns as wide as their widest cell, two spaces between them; the first column
/// is aligned left, the others right. Rows may be shorter than others.
class Table {
 public:
  void add(std::vector<std::string> cells) { rows_.push_back(std::move(cells)); }
  std::string text() const;

 private:
  std::vector<std::vector<std::string>> rows_;
};

/// "name          value" lines.
class Fields {
 public:
  void add(const std::string& name, const std::string& value) { rows_.push_back({name, value}); }
  std::string text() const;

 private:
  std::vector<std::vector<std::string>> rows_;
};

/// Numbered footnotes of a table, shared by rows with the same text.
class Footnotes {
 public:
  /// " [2]", the number of a footnote with this text; empty for none.
  std::string mark(const std::string& text);
  /// "[1] …" lines.
  std::string text() const;

 private:
  std::vector<std::string> texts_;
};

/// Six significant digits, "-" for NaN.
std::string number(double value);
/// Three significant digits in exponential form, "-" for NaN.
std::string small_number(double value);
/// "0.123456 ± 0.0012"; without the error if that is NaN.
std::string with_error(double value, double error);

}  // namespace gihflow::cli
