#pragma once

#include <chrono>
#include <string>

#include "gihflow/run/observer.hpp"

namespace gihflow::cli {

/// Follows a command on stderr: remarks as lines; on a terminal also one line that is redrawn, with
/// stage, flow time on a log scale, loss, leading p_S, a and time left. Nothing when quiet; no
/// redrawn line off a terminal, on a dumb one or with NO_COLOR.
class ProgressBar final : public RunObserver {
 public:
  /// How phases are shown: on the line that is redrawn, or as lines that stay.
  enum class Phases { redrawn, lines };
  explicit ProgressBar(bool quiet, Phases phases = Phases::redrawn);
  ~ProgressBar() override;

  void note(const std::string& text) override;
  void phase(const std::string& name) override;
  void progress(const Progress& progress) override;
  /// Removes the line.
  void clear();

 private:
  using Clock = std::chrono::steady_clock;
  void draw(const std::string& line);

  bool quiet_;
  Phases phases_;
  bool animated_;
  bool drawn_ = false;
  Clock::time_point training_began_;
  Clock::time_point last_drawn_;
};

/// The line that ProgressBar draws, at most `width` columns.
std::string progress_line(const Progress& progress, double seconds, std::size_t width);

}  // namespace gihflow::cli
