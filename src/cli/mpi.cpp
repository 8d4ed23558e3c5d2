#include "cli/mpi.hpp"

#ifdef GIHFLOW_MPI
#define OMPI_SKIP_MPICXX 1
#define MPICH_SKIP_MPICXX 1
#include <mpi.h>

#include <algorithm>
#include <cstdlib>
#endif

namespace gihflow::cli {

#ifdef GIHFLOW_MPI

namespace {

constexpr std::size_t most_at_once = std::size_t{1} << 30;  // bytes, as MPI counts are ints

class MpiRanks final : public Ranks {
 public:
  MpiRanks() {
    MPI_Comm_size(MPI_COMM_WORLD, &count_);
    MPI_Comm_rank(MPI_COMM_WORLD, &own_);
    MPI_Comm machine;
    MPI_Comm_split_type(MPI_COMM_WORLD, MPI_COMM_TYPE_SHARED, own_, MPI_INFO_NULL, &machine);
    MPI_Comm_rank(machine, &local_);
    MPI_Comm_free(&machine);
  }
  MpiRanks(const MpiRanks&) = delete;
  MpiRanks& operator=(const MpiRanks&) = delete;
  ~MpiRanks() override { MPI_Finalize(); }

  int count() const override { return count_; }
  int own() const override { return own_; }
  int local() const override { return local_; }

  void broadcast(std::string& message) override {
    unsigned long long size = message.size();
    MPI_Bcast(&size, 1, MPI_UNSIGNED_LONG_LONG, 0, MPI_COMM_WORLD);
    message.resize(size);
    in_pieces(message, [](char* data, int n) { MPI_Bcast(data, n, MPI_BYTE, 0, MPI_COMM_WORLD); });
  }

  std::vector<std::string> gather(const std::string& message) override {
    unsigned long long size = message.size();
    if (own_ != 0) {
      MPI_Send(&size, 1, MPI_UNSIGNED_LONG_LONG, 0, 0, MPI_COMM_WORLD);
      std::string copy = message;
      in_pieces(copy, [](char* data, int n) { MPI_Send(data, n, MPI_BYTE, 0, 0, MPI_COMM_WORLD); });
      return {};
    }
    std::vector<std::string> all{message};
    for (int rank = 1; rank < count_; ++rank) {
      MPI_Recv(&size, 1, MPI_UNSIGNED_LONG_LONG, rank, 0, MPI_COMM_WORLD, MPI_STATUS_IGNORE);
      all.emplace_back(size, '\0');
      in_pieces(all.back(), [&](char* data, int n) {
        MPI_Recv(data, n, MPI_BYTE, rank, 0, MPI_COMM_WORLD, MPI_STATUS_IGNORE);
      });
    }
    return all;
  }

 private:
  template <class Move>
  static void in_pieces(std::string& message, const Move& move) {
    for (std::size_t i = 0; i < message.size(); i += most_at_once)
      move(message.data() + i, static_cast<int>(std::min(most_at_once, message.size() - i)));
  }

  int count_ = 1, own_ = 0, local_ = 0;
};

}  // namespace

std::unique_ptr<Ranks> mpi_ranks() {
  // Only launchers of MPI set these variables; without one, MPI is not initialized.
  constexpr const char* marks[] = {"OMPI_COMM_WORLD_SIZE", "PMI_SIZE", "PMI_RANK", "PMIX_RANK"};
  if (std::none_of(std::begin(marks), std::end(marks), [](auto* mark) { return getenv(mark); }))
    return nullptr;
  MPI_Init(nullptr, nullptr);
  for (const char* mark : marks) unsetenv(mark);  // child processes do not belong to the job
  auto ranks = std::make_unique<MpiRanks>();
  if (ranks->count() == 1) return nullptr;
  return ranks;
}

#else

std::unique_ptr<Ranks> mpi_ranks() {
  return nullptr;
}

#endif

}  // namespace gihflow::cli
