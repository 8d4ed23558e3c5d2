#pragma once

// The processes of one job: MPI processes in the program (cli/mpi.cpp), threads in tests.

#include <string>
#include <vector>

namespace gihflow {

/// Communication between the processes of a job. Only number 0 sends requests; a request that asks
/// for an answer is answered by all.
class Ranks {
 public:
  virtual ~Ranks() = default;
  virtual int count() const = 0;
  virtual int own() const = 0;
  /// The number of this process among those on its machine.
  virtual int local() const = 0;
  /// Replaces `message` by that of number 0 on every process.
  virtual void broadcast(std::string& message) = 0;
  /// Returns the messages of all processes, in their order, to number 0, and an empty list to the
  /// others.
  virtual std::vector<std::string> gather(const std::string& message) = 0;
};

/// While this object lives, objectives made by trainings on the calling thread are shared among
/// `ranks`.
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
