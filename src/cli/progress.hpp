#pragma once

#include <chrono>
#include <string>

#include "gihflow/run/observer.hpp"

namespace gihflow::cli {

/// A line on stderr that is redrawn on a terminal, with notes as lines above it. Prints nothing if
/// quiet; the line is not drawn if stderr is not a terminal, with TERM=dumb or with NO_COLOR.
class StatusLine {
 public:
  explicit StatusLine(bool quiet);
  ~StatusLine() { clear(); }
  StatusLine(const StatusLine&) = delete;
  StatusLine& operator=(const StatusLine&) = delete;

  /// Whether draw() draws.
  bool animated() const { return animated_; }
  /// The same, but true at most ten times a second.
  bool due();
  /// Replaces the line, cut to the terminal's width.
  void draw(std::string line);
  /// Writes a line that stays.
  void keep(const std::string& line);
  void note(const Phrase& text);
  /// Removes the line.
  void clear();

 private:
  using Clock = std::chrono::steady_clock;
  bool quiet_;
  bool animated_;
  bool drawn_ = false;
  Clock::time_point last_drawn_;
};

/// Shows a command's progress on stderr: notes as lines; on a terminal also a line that is redrawn,
/// with stage, flow time on a log scale, loss, leading p_S, a and time left.
class ProgressBar final : public RunObserver {
 public:
  /// Whether phases are shown on the redrawn line or as separate lines.
  enum class Phases { redrawn, lines };
  explicit ProgressBar(bool quiet, Phases phases = Phases::redrawn);

  void note(const Phrase& text) override { line_.note(text); }
  void phase(const std::string& name) override;
  void progress(const Progress& progress) override;
  /// Removes the line.
  void clear() { line_.clear(); }

 private:
  using Clock = std::chrono::steady_clock;

  StatusLine line_;
  Phases phases_;
  Clock::time_point training_began_;
};

/// "[=====     ]" with so many cells.
std::string bar(double fraction, std::size_t cells);
/// "90 s", "12 min", "5 h", rounded up.
std::string duration_text(double seconds);

/// The line that ProgressBar draws, at most `width` columns.
std::string progress_line(const Progress& progress, double seconds, std::size_t width);

}  // namespace gihflow::cli
