#pragma once

// The processes of one job. The program is given them by MPI (cli/mpi.cpp), tests by threads.

#include <string>
#include <vector>

namespace gihflow {

/// How the processes of a job speak to each other. Number 0 leads: it alone sends requests, and
/// every request that asks for an answer is answered by all.
class Ranks {
 public:
  virtual ~Ranks() = default;
  virtual int count() const = 0;
  virtual int own() const = 0;
  /// Gives every process the message of number 0.
  virtual void broadcast(std::string& message) = 0;
  /// Gives number 0 the messages of all, in the order of ranks; nothing to the others.
  virtual std::vector<std::string> gather(const std::string& message) = 0;
};

/// While this lives, objectives that the calling thread's trainings make are shared by `ranks`.
class RanksScope {
 public:
  explicit RanksScope(Ranks& ranks);
  RanksScope(const RanksScope&) = delete;
  RanksScope& operator=(const RanksScope&) = delete;
  ~RanksScope();

 private:
  Ranks* before_;
};

/// The processes of the calling thread's job; null where there is one alone.
Ranks* ranks() noexcept;

}  // namespace gihflow
