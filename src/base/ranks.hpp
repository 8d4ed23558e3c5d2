#pragma once

// The processes of one job: MPI processes in the program (cli/mpi.cpp), threads in tests.

#include <string>
#include <vector>

namespace gihflow {

/// Communication between the processes of a job. Process 0 broadcasts its requests; where one asks
/// for answers, process 0 gathers those of all.
class Ranks {
 public:
  virtual ~Ranks() = default;
  /// Number of processes.
  virtual int count() const = 0;
  /// Number of this process, from 0.
  virtual int own() const = 0;
  /// Its number among the processes on the same machine, from 0.
  virtual int local() const = 0;
  /// Replaces `message` on every process by that of process 0.
  virtual void broadcast(std::string& message) = 0;
  /// Returns the messages of all processes in order on process 0, and an empty list on the others.
  virtual std::vector<std::string> gather(const std::string& message) = 0;
};

/// While this object lives, trainings on the calling thread divide their chains among `ranks`.
class RanksScope {
 public:
  explicit RanksScope(Ranks& ranks);
  RanksScope(const RanksScope&) = delete;
  RanksScope& operator=(const RanksScope&) = delete;
  ~RanksScope();

 private:
  Ranks* before_;
};

/// The processes of the calling thread's job; null outside a RanksScope.
Ranks* ranks() noexcept;

}  // namespace gihflow
