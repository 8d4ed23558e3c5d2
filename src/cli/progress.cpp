#include "cli/progress.hpp"

#include <fmt/format.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <cstring>

#include "cli/commands.hpp"
#include "gihflow/base/subsets.hpp"

namespace gihflow::cli {

namespace {

constexpr std::chrono::milliseconds redraw_interval(100);
constexpr double seconds_before_guess = 1.0;

bool can_animate() {
  const char* no_color = std::getenv("NO_COLOR");
  const char* terminal = std::getenv("TERM");
  return isatty(STDERR_FILENO) != 0 && (no_color == nullptr || *no_color == '\0') &&
         (terminal == nullptr || std::strcmp(terminal, "dumb") != 0);
}

std::size_t terminal_width() {
  winsize size{};
  return ioctl(STDERR_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col > 0 ? size.ws_col : 80;
}

}  // namespace

std::string bar(double fraction, std::size_t cells) {
  const auto full = static_cast<std::size_t>(fraction * static_cast<double>(cells));
  return fmt::format("[{:=<{}}{:{}}]", "", full, "", cells - full);
}

std::string duration_text(double seconds) {
  const auto whole = static_cast<long>(std::ceil(seconds));
  if (whole < 120) return fmt::format("{} s", whole);
  if (whole < 7200) return fmt::format("{} min", (whole + 59) / 60);
  return fmt::format("{} h", (whole + 3599) / 3600);
}

std::string progress_line(const Progress& progress, double seconds, std::size_t width) {
  const Snapshot& latest = *progress.latest;
  const Parameters& now = latest.parameters;
  const std::vector<double> p = now.p();
  const auto leading = static_cast<std::size_t>(std::max_element(p.begin(), p.end()) - p.begin());
  const double done = fraction_done(progress);
  std::string line = fmt::format(
      "stage {}/{} {} t {:.3g}/{:.6g}  loss {:.4f}  p{} {:.3f}  a {:.3g}", progress.stage + 1,
      progress.stages, bar(done, 20), progress.t, progress.duration, latest.loss,
      to_string_subset(subsets(now.heads, now.degree)[leading]), p[leading], now.a);
  if (seconds > seconds_before_guess && done > 0.0) {
    line += fmt::format("  {} left", duration_text(seconds * (1.0 - done) / done));
  }
  if (line.size() > width) line.resize(width);
  return line;
}

StatusLine::StatusLine(bool quiet) : quiet_(quiet), animated_(!quiet && can_animate()) {}

bool StatusLine::due() {
  const Clock::time_point now = Clock::now();
  if (!animated_ || now - last_drawn_ < redraw_interval) return false;
  last_drawn_ = now;
  return true;
}

void StatusLine::note(const Phrase& text) {
  keep("note: " + words(text, option_spelling));
}

void StatusLine::draw(std::string line) {
  if (!animated_) return;
  if (const std::size_t width = terminal_width() - 1; line.size() > width) line.resize(width);
  say(fmt::format("\r{}\x1b[K", line));
  drawn_ = true;
}

void StatusLine::keep(const std::string& line) {
  if (quiet_) return;
  clear();
  say(line + "\n");
}

void StatusLine::clear() {
  if (!drawn_) return;
  say("\r\x1b[K");
  drawn_ = false;
}

ProgressBar::ProgressBar(bool quiet, Phases phases)
    : line_(quiet), phases_(phases), training_began_(Clock::now()) {}

void ProgressBar::phase(const std::string& name) {
  training_began_ = Clock::now();
  if (phases_ == Phases::lines) {
    line_.keep(name);
  } else {
    line_.draw(name + " ...");
  }
}

void ProgressBar::progress(const Progress& progress) {
  if (!line_.due()) return;
  const double seconds = std::chrono::duration<double>(Clock::now() - training_began_).count();
  line_.draw(progress_line(progress, seconds, terminal_width() - 1));
}

}  // namespace gihflow::cli
