#pragma once

// A CUDA card as a place where the stages run, see staged_point.hpp. Compiled by nvcc alone.

#include <cuda_runtime.h>
#include <thrust/device_vector.h>
#include <thrust/for_each.h>
#include <thrust/iterator/counting_iterator.h>
#include <thrust/system/cuda/execution_policy.h>

#include <algorithm>
#include <new>
#include <stdexcept>
#include <string>
#include <vector>

#include "population/staged_point.hpp"

namespace gihflow::GIHFLOW_ISA {

/// Throws std::runtime_error that names what failed.
inline void check(cudaError_t error, const char* what) {
  if (error == cudaSuccess) return;
  cudaGetLastError();
  throw std::runtime_error(std::string("CUDA: ") + what + ": " + cudaGetErrorString(error));
}

/// The text of a host-device function for the card, and for its host version, which is never
/// called.
#ifdef __CUDA_ARCH__
#define GIHFLOW_ON_CARD(card, host) card
#else
#define GIHFLOW_ON_CARD(card, host) host
#endif

/// The threads of a CUDA block, in whole warps.
struct CardTeam {
  double* shared;

  GIHFLOW_HD std::int64_t index() const { return GIHFLOW_ON_CARD(threadIdx.x, 0); }
  GIHFLOW_HD std::int64_t size() const { return GIHFLOW_ON_CARD(blockDim.x, 1); }
  GIHFLOW_HD std::int64_t warp() const { return index() / 32; }
  GIHFLOW_HD std::int64_t warps() const { return size() / 32; }
  GIHFLOW_HD std::int64_t lane() const { return index() % 32; }
  GIHFLOW_HD std::int64_t lanes() const { return 32; }
  GIHFLOW_HD void sync() const { GIHFLOW_ON_CARD(__syncthreads(), ); }
  GIHFLOW_HD void* memory() const { return shared; }
  GIHFLOW_HD double warp_sum(double x) const {
    for (int stride = 16; stride > 0; stride /= 2)
      x += GIHFLOW_ON_CARD(__shfl_xor_sync(~0u, x, stride), 0.0);
    return x;
  }
  GIHFLOW_HD Dual<double> warp_sum(const Dual<double>& x) const {
    return {warp_sum(x.v), warp_sum(x.d)};
  }
  /// Sum over all threads, in the order of warps; overwrites the team's memory.
  template <class S>
  GIHFLOW_HD S sum(S x) const {
    x = warp_sum(x);
    S* row = reinterpret_cast<S*>(shared);
    sync();
    if (lane() == 0) row[warp()] = x;
    sync();
    x = row[0];
    for (std::int64_t w = 1; w < warps(); ++w) x = x + row[w];
    return x;
  }
};

template <class Stage>
__global__ void __launch_bounds__(threads_of_team) run_teams(const __grid_constant__ Stage stage) {
  extern __shared__ double shared[];
  CardTeam team{shared};
  stage(team, static_cast<std::int64_t>(blockIdx.x));
}

/// Page-locked memory of the host, from and to which the card copies directly.
class Pinned {
 public:
  explicit Pinned(std::size_t doubles) : plain_(doubles) {
    void* pinned = nullptr;
    if (cudaMallocHost(&pinned, doubles * sizeof(double)) == cudaSuccess)
      pinned_ = static_cast<double*>(pinned);
    else
      cudaGetLastError();  // pageable memory is slower, but works
  }
  Pinned(const Pinned&) = delete;
  Pinned& operator=(const Pinned&) = delete;
  ~Pinned() {
    if (pinned_ != nullptr) cudaFreeHost(pinned_);
  }
  double* data() { return pinned_ != nullptr ? pinned_ : plain_.data(); }

 private:
  std::vector<double> plain_;
  double* pinned_ = nullptr;
};

/// The card as a Place, with a stream of its own.
class Card {
 public:
  template <class T>
  using Vector = thrust::device_vector<T>;
  template <class V>
  static auto* raw(V& v) {
    return thrust::raw_pointer_cast(v.data());
  }
  using HostMemory = Pinned;
  /// A sequence of copies and launches as a CUDA graph.
  struct Recording {
    cudaGraphExec_t graph = nullptr;
    bool seen = false;

    Recording() = default;
    Recording(const Recording&) = delete;
    Recording& operator=(const Recording&) = delete;
    ~Recording() {
      if (graph != nullptr) cudaGraphExecDestroy(graph);
    }
  };

  Card() {
    int device = 0, bytes = 0;
    check(cudaGetDevice(&device), "the card");
    check(cudaDeviceGetAttribute(&bytes, cudaDevAttrMaxSharedMemoryPerBlockOptin, device),
          "shared memory");
    most_memory_ = bytes;
    check(cudaStreamCreateWithFlags(&stream_, cudaStreamNonBlocking), "a stream");
  }
  Card(const Card&) = delete;
  Card& operator=(const Card&) = delete;
  ~Card() { cudaStreamDestroy(stream_); }

  cudaStream_t stream() const { return stream_; }
  /// Upper bound of the memory of a team, in bytes.
  std::int64_t most_memory() const { return most_memory_; }
  static constexpr std::int64_t warp = 32;

  template <class Item>
  void items(std::int64_t count, const Item& item) const {
    thrust::for_each_n(thrust::cuda::par_nosync.on(stream_),
                       thrust::counting_iterator<std::int64_t>(0), count, item);
  }
  /// Teams of `threads` threads with `bytes` of memory each, beside what a sum over the team takes.
  template <class Stage>
  void teams(std::int64_t blocks, std::int64_t threads, std::int64_t bytes,
             const Stage& stage) const {
    const std::int64_t needed = std::max<std::int64_t>(bytes, 32 * sizeof(Dual<double>));
    if (needed > 48 * 1024)
      check(cudaFuncSetAttribute(run_teams<Stage>, cudaFuncAttributeMaxDynamicSharedMemorySize,
                                 static_cast<int>(needed)),
            "shared memory");
    run_teams<Stage><<<static_cast<unsigned>(blocks), static_cast<unsigned>(threads),
                       static_cast<std::size_t>(needed), stream_>>>(stage);
    check(cudaGetLastError(), "a launch");
  }
  /// Runs what `work` puts on the stream. The second time it is recorded, and from then on the
  /// graph is launched: `work` must be the same for the same `kept`, pointers and sizes included.
  template <class Work>
  void replay(Recording& kept, const Work& work) const {
    if (kept.graph == nullptr && kept.seen) {
      cudaGraph_t graph = nullptr;
      check(cudaStreamBeginCapture(stream_, cudaStreamCaptureModeThreadLocal), "recording");
      work();
      check(cudaStreamEndCapture(stream_, &graph), "a recording");
      const cudaError_t error = cudaGraphInstantiate(&kept.graph, graph, 0);
      cudaGraphDestroy(graph);
      check(error, "a recording");
    }
    kept.seen = true;
    if (kept.graph != nullptr)
      check(cudaGraphLaunch(kept.graph, stream_), "a replay");
    else
      work();
  }

  void upload(void* to, const void* from, std::size_t bytes) const {
    check(cudaMemcpyAsync(to, from, bytes, cudaMemcpyHostToDevice, stream_), "a copy to the card");
  }
  void download(void* to, const void* from, std::size_t bytes) const {
    check(cudaMemcpyAsync(to, from, bytes, cudaMemcpyDeviceToHost, stream_),
          "a copy from the card");
  }
  void wait() const { check(cudaStreamSynchronize(stream_), "a gradient"); }
  /// Waits for all streams of the card.
  void settle() const { check(cudaDeviceSynchronize(), "the statistics"); }

 private:
  cudaStream_t stream_ = nullptr;
  std::int64_t most_memory_ = 0;
};

}  // namespace gihflow::GIHFLOW_ISA
