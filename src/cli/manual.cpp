// Manual pages, written from the commands and the rows of their options.

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "cli/generate.hpp"
#include "cli/help.hpp"
#include "gihflow/base/version.hpp"

namespace gihflow::cli {

namespace {

// Text for roff: dashes and backslashes escaped, no control line.
std::string escaped(std::string_view text) {
  std::string result;
  for (const char c : text) {
    if (c == '-') {
      result += "\\-";
    } else if (c == '\\') {
      result += "\\e";
    } else {
      result += c;
    }
  }
  if (!result.empty() && (result.front() == '.' || result.front() == '\'')) result = "\\&" + result;
  return result;
}

std::string bold(std::string_view text) {
  return fmt::format("\\fB{}\\fR", escaped(text));
}

std::string italic(std::string_view text) {
  return fmt::format("\\fI{}\\fR", escaped(text));
}

std::string section(std::string_view title) {
  return fmt::format(".SH {}\n", title);
}

// A term and its meaning.
std::string item(const std::string& term, std::string_view text) {
  return fmt::format(".TP\n{}\n{}\n", term, escaped(text));
}

std::string title(const std::string& name, std::string_view summary) {
  std::string upper;
  for (const char c : name) upper += static_cast<char>(c >= 'a' && c <= 'z' ? c - 'a' + 'A' : c);
  return fmt::format(".TH {} 1 \"\" \"gihflow {}\" \"gihflow manual\"\n{}{} \\- {}\n",
                     escaped(upper), version(), section("NAME"), escaped(name), escaped(summary));
}

std::string page_name(const Command& command) {
  return "gihflow-" + command.name;
}

std::string exit_status() {
  std::string text = section("EXIT STATUS");
  for (const Explained& row : exit_codes()) text += item(bold(row.text), row.meaning);
  return text;
}

std::string reference(const std::string& page) {
  return fmt::format("{}(1)", bold(page));
}

std::string see_also(const std::vector<std::string>& pages) {
  std::vector<std::string> references;
  for (const std::string& page : pages) references.push_back(reference(page));
  return section("SEE ALSO") + fmt::format("{}\n", fmt::join(references, ",\n"));
}

std::string option_item(const Option& option, const Command& command) {
  std::string term = bold("--" + option.name());
  if (!option.short_name.empty()) term = bold("-" + option.short_name) + ", " + term;
  if (!option.value.empty()) term += " " + italic(option.value);
  return item(term, help_on(option, command));
}

std::string options_of(const Command& command) {
  std::string text = section("OPTIONS");
  std::string heading;
  for (const Option& option : command.options()) {
    if (option.heading != heading) text += fmt::format(".SS {}\n", escaped(option.heading));
    heading = option.heading;
    text += option_item(option, command);
  }
  return text;
}

std::string page_of(const Command& command) {
  std::string synopsis = bold("gihflow " + command.name);
  for (const std::string& file : command.files) {
    const bool more = command.takes_more_files && &file == &command.files.back();
    const std::string word = italic(file) + (more ? "..." : "");
    synopsis += " " + (command.may_lack_files ? "[" + word + "]" : word);
  }
  return title(page_name(command), command.summary) + section("SYNOPSIS") + synopsis +
         " [\\fIOPTIONS\\fR]\n" + section("DESCRIPTION") + escaped(command.description) + "\n" +
         options_of(command) + exit_status() + see_also({"gihflow"});
}

std::string page_of_program() {
  std::string text = title("gihflow", "gradient flow of transformers that learn induction heads");
  text += section("SYNOPSIS") + bold("gihflow") + " \\fICOMMAND\\fR [\\fIOPTIONS\\fR]\n" +
          section("DESCRIPTION");
  text +=
      "Trains two\\-attention\\-layer transformers on random Markov chains by gradient flow, measures "
      "what they have learned, and holds it against theory. Results go to HDF5 files that name "
      "their settings and can be repeated bit for bit.\n" +
      section("COMMANDS");
  std::vector<std::string> pages;
  for (const Command& command : commands()) {
    text += item(reference(page_name(command)), command.summary);
    pages.push_back(page_name(command));
  }
  text += section("OPTIONS");
  for (const ProgramOption& option : program_options()) {
    text += item(bold(option.names) + (option.value.empty() ? "" : " " + italic(option.value)),
                 option.help);
  }
  text += section("EXAMPLES");
  for (const Explained& row : first_commands()) text += item(bold(row.text), row.meaning);
  text += section("ENVIRONMENT");
  text += item(bold("OMP_NUM_THREADS, SLURM_CPUS_PER_TASK"),
               "limit the number of threads where --threads does not say it.");
  return text + exit_status() + see_also(pages);
}

}  // namespace

std::string manual_page(const Command* command) {
  return command == nullptr ? page_of_program() : page_of(*command);
}

}  // namespace gihflow::cli
