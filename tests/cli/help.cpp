#include "cli/help.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <sstream>
#include <string>

#include "cli/parser.hpp"

using namespace gihflow;
using namespace gihflow::cli;

namespace {

std::string help_of(const std::string& command) {
  std::string program = "gihflow", name = command, flag = "--help";
  char* words[] = {program.data(), name.data(), flag.data()};
  return parse(3, words).answer;
}

// Words with one space between them, whatever the lines.
std::string unwrapped(const std::string& text) {
  std::istringstream words(text);
  std::string result, word;
  while (words >> word) result += word + ' ';
  return result;
}

std::size_t count(const std::string& text, const std::string& part) {
  std::size_t found = 0;
  for (std::size_t at = text.find(part); at != std::string::npos; at = text.find(part, at + 1))
    ++found;
  return found;
}

}  // namespace

TEST_CASE("the help of a command has each of its options once, with text, choices and default") {
  for (const Command& command : commands()) {
    const std::string help = help_of(command.name);
    for (const Option& option : command.options()) {
      CAPTURE(command.name);
      CAPTURE(option.name());
      CHECK(
          count(help, " --" + option.name() + (option.value.empty() ? "\n" : " " + option.value)) +
              count(help, " --" + option.name() + "  ") >=
          1);
      CHECK(unwrapped(help).find(unwrapped(help_on(option, command))) != std::string::npos);
    }
    CHECK(unwrapped(help).find(unwrapped(command.description)) != std::string::npos);
  }
}

TEST_CASE("lines of the help fit a terminal and end without spaces") {
  for (const Command& command : commands()) {
    std::istringstream lines(help_of(command.name));
    for (std::string line; std::getline(lines, line);) {
      CAPTURE(line);
      const auto continuation = [](char c) { return (c & 0xC0) == 0x80; };
      const auto columns = line.size() - static_cast<std::size_t>(
                                             std::count_if(line.begin(), line.end(), continuation));
      CHECK(columns <= 96);
      CHECK((line.empty() || line.back() != ' '));
    }
  }
}

TEST_CASE("what help says of an option") {
  const auto all = commands();
  const Command& train =
      *std::find_if(all.begin(), all.end(), [](const Command& c) { return c.name == "train"; });
  const auto on = [&](Field field) {
    for (const Option& option : train.options()) {
      if (option.field == field) return help_on(option, train);
    }
    return std::string();
  };
  CHECK(on(Field::alpha) ==
        "Concentration of the prior; what smooths kernels of a text (default 0.1)");
  CHECK(on(Field::context).ends_with("(finite or infinite; default finite)"));
  CHECK(on(Field::output) == "File to write (default run.h5)");
  CHECK(on(Field::json) == "Print results as JSON");  // a flag has no default
}
