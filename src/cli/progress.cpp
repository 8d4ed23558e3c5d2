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

}  // namespace

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

ProgressBar::ProgressBar(bool quiet, Phases phases)
    : quiet_(quiet),
      phases_(phases),
      animated_(!quiet && can_animate()),
      training_began_(Clock::now()) {}

ProgressBar::~ProgressBar() {
  clear();
}

void ProgressBar::note(const std::string& text) {
  if (quiet_) return;
  clear();
  say(fmt::format("note: {}\n", text));
}

void ProgressBar::phase(const std::string& name) {
  training_began_ = Clock::now();
  if (phases_ == Phases::lines && !quiet_) {
    clear();
    say(name + "\n");
  } else if (animated_) {
    draw(name + " ...");
  }
}

void ProgressBar::progress(const Progress& progress) {
  const Clock::time_point now = Clock::now();
  if (!animated_ || now - last_drawn_ < redraw_interval) return;
  last_drawn_ = now;
  const double seconds = std::chrono::duration<double>(now - training_began_).count();
  draw(progress_line(progress, seconds, terminal_width() - 1));
}

void ProgressBar::draw(const std::string& line) {
  say(fmt::format("\r{}\x1b[K", line));
  drawn_ = true;
}

void ProgressBar::clear() {
  if (!drawn_) return;
  say("\r\x1b[K");
  drawn_ = false;
}

}  // namespace gihflow::cli
