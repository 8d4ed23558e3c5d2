// The engine for a CUDA card, and which card there is.

#define GIHFLOW_ISA card

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <memory>
#include <mutex>
#include <numeric>

#include "gihflow/base/errors.hpp"
#include "gihflow/base/parallel.hpp"
#include "gihflow/population/device.hpp"
#include "population/engines.hpp"
#include "population/model_tables.hpp"
#include "population/staged.cuh"
#include "population/staged_parts.hpp"

namespace gihflow {

namespace {

using namespace card;  // NOLINT: the names of this engine's own instruction set

std::string gigabytes(double bytes) {
  char text[32];
  std::snprintf(text, sizeof text, "%.1f GiB", bytes / 0x1p30);
  return text;
}

/// Why no card can be used, or the name of the card; asks the driver.
struct Probe {
  std::string fault, name;

  Probe() {
    int count = 0;
    const cudaError_t error = cudaGetDeviceCount(&count);
    if (error == cudaErrorInsufficientDriver) {
      fault =
          "must be cpu or auto, since no NVIDIA driver is installed or it is older than the "
          "CUDA that this program was built with";
    } else if (error == cudaErrorNoDevice || (error == cudaSuccess && count == 0)) {
      fault = "must be cpu or auto, since the NVIDIA driver finds no card";
    } else if (error != cudaSuccess) {
      fault = std::string("must be cpu or auto, since the NVIDIA driver answers: ") +
              cudaGetErrorString(error);
    } else {
      cudaDeviceProp card{};
      if (cudaGetDeviceProperties(&card, 0) != cudaSuccess) {
        fault = "must be cpu or auto, since the NVIDIA driver does not describe its card";
      } else if (card.major < 8) {
        fault = std::string("must be cpu or auto, since ") + card.name +
                " has compute capability " + std::to_string(card.major) + "." +
                std::to_string(card.minor) + ", and 8.0 is the least";
      } else {
        name = card.name;
      }
    }
    cudaGetLastError();
  }
};

const Probe& probe() {
  static const Probe answer;
  return answer;
}

}  // namespace

bool built_with_cuda() noexcept {
  return true;
}

const std::string& cuda_fault() {
  return probe().fault;
}

std::string cuda_card() {
  return probe().name;
}

std::size_t cuda_free_memory() {
  std::size_t free = 0, total = 0;
  if (!probe().fault.empty() || cudaMemGetInfo(&free, &total) != cudaSuccess) return 0;
  return free;
}

std::string take_card(int number) {
  if (!cuda_fault().empty()) throw InputError(Fault{Field::device, "cuda", cuda_fault(), ""});
  int count = 0;
  cudaDeviceProp card{};
  check(cudaGetDeviceCount(&count), "the cards");
  check(cudaSetDevice(number % count), "a card");
  check(cudaGetDeviceProperties(&card, number % count), "a card");
  return std::string(card.uuid.bytes, sizeof card.uuid.bytes);
}

std::unique_ptr<PartedObjective> make_cuda_objective(const Model& model,
                                                     const SequenceSource& source, Engine engine,
                                                     Index part_size, Index of) {
  if (!cuda_fault().empty()) throw InputError(Fault{Field::device, "cuda", cuda_fault(), ""});
  const std::size_t free = cuda_free_memory();
  try {
    return staged_objective<Card>(model, source, engine, part_size, of);
  } catch (const std::bad_alloc&) {
    throw InputError(
        Fault{Field::chains, std::to_string(source.count()),
              Phrase("their statistics need more than the " + gigabytes(static_cast<double>(free)) +
                         " that " + cuda_card() + " has free; use fewer, or ",
                     Field::device, " cpu"),
              ""});
  }
}

}  // namespace gihflow
