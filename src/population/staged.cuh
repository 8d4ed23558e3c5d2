#pragma once

// Places where the stages run: a CUDA card, or the host, where the same functors serve a team of
// one thread. Compiled by nvcc alone.

#include <cuda_runtime.h>
#include <thrust/device_vector.h>
#include <thrust/for_each.h>
#include <thrust/host_vector.h>
#include <thrust/iterator/counting_iterator.h>
#include <thrust/system/cpp/execution_policy.h>
#include <thrust/system/cuda/execution_policy.h>

#include <algorithm>
#include <cstring>
#include <new>
#include <stdexcept>
#include <string>
#include <vector>

#include "population/scalar.hpp"

namespace gihflow::GIHFLOW_ISA {

/// Throws std::runtime_error that names what failed.
inline void check(cudaError_t error, const char* what) {
  if (error == cudaSuccess) return;
  cudaGetLastError();
  throw std::runtime_error(std::string("CUDA: ") + what + ": " + cudaGetErrorString(error));
}

/// Threads of a team at most.
inline constexpr int threads_of_team = 128;

/// What a host-device function does on the card, and in its host version, which is never called.
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
  /// Of all threads, in the order of warps; overwrites the team's memory.
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

/// The host alone.
struct HostTeam {
  void* own;

  GIHFLOW_HD std::int64_t index() const { return 0; }
  GIHFLOW_HD std::int64_t size() const { return 1; }
  GIHFLOW_HD std::int64_t warp() const { return 0; }
  GIHFLOW_HD std::int64_t warps() const { return 1; }
  GIHFLOW_HD std::int64_t lane() const { return 0; }
  GIHFLOW_HD std::int64_t lanes() const { return 1; }
  GIHFLOW_HD void sync() const {}
  GIHFLOW_HD void* memory() const { return own; }
  template <class S>
  GIHFLOW_HD S warp_sum(const S& x) const {
    return x;
  }
  template <class S>
  GIHFLOW_HD S sum(const S& x) const {
    return x;
  }
};

template <class Stage>
__global__ void __launch_bounds__(threads_of_team) run_teams(const __grid_constant__ Stage stage) {
  extern __shared__ double shared[];
  CardTeam team{shared};
  stage(team, static_cast<std::int64_t>(blockIdx.x));
}

/// The card: vectors in its memory, a stream of its own.
class Card {
 public:
  template <class T>
  using Vector = thrust::device_vector<T>;
  static constexpr const char* name = "cuda";

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
  /// What a team can have, in bytes.
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
  /// Does what `work` puts on the stream. The second time it is recorded, and from then on replayed
  /// in one go: `work` must be the same for the same `kept`, pointers and sizes included.
  template <class Work>
  void replay(cudaGraphExec_t& kept, bool& seen, const Work& work) const {
    if (kept == nullptr && seen) {
      cudaGraph_t graph = nullptr;
      check(cudaStreamBeginCapture(stream_, cudaStreamCaptureModeThreadLocal), "recording");
      work();
      check(cudaStreamEndCapture(stream_, &graph), "a recording");
      const cudaError_t error = cudaGraphInstantiate(&kept, graph, 0);
      cudaGraphDestroy(graph);
      check(error, "a recording");
    }
    seen = true;
    if (kept != nullptr)
      check(cudaGraphLaunch(kept, stream_), "a replay");
    else
      work();
  }
  static void forget(cudaGraphExec_t kept) {
    if (kept != nullptr) cudaGraphExecDestroy(kept);
  }

  void upload(void* to, const void* from, std::size_t bytes) const {
    check(cudaMemcpyAsync(to, from, bytes, cudaMemcpyHostToDevice, stream_), "a copy to the card");
  }
  void download(void* to, const void* from, std::size_t bytes) const {
    check(cudaMemcpyAsync(to, from, bytes, cudaMemcpyDeviceToHost, stream_),
          "a copy from the card");
  }
  void wait() const { check(cudaStreamSynchronize(stream_), "a gradient"); }
  /// For what other streams have in hand, too.
  void settle() const { check(cudaDeviceSynchronize(), "the statistics"); }

 private:
  cudaStream_t stream_ = nullptr;
  std::int64_t most_memory_ = 0;
};

/// The host, one item after the other.
class Host {
 public:
  template <class T>
  using Vector = thrust::host_vector<T>;
  static constexpr const char* name = "host";

  std::int64_t most_memory() const { return std::int64_t{1} << 30; }
  static constexpr std::int64_t warp = 1;

  template <class Item>
  void items(std::int64_t count, const Item& item) const {
    thrust::for_each_n(thrust::cpp::par, thrust::counting_iterator<std::int64_t>(0), count, item);
  }
  template <class Stage>
  void teams(std::int64_t blocks, std::int64_t, std::int64_t bytes, const Stage& stage) const {
    std::vector<double> own(static_cast<std::size_t>(bytes) / sizeof(double) + 1);
    HostTeam team{own.data()};
    for (std::int64_t block = 0; block < blocks; ++block) stage(team, block);
  }
  template <class Work>
  void replay(cudaGraphExec_t&, bool&, const Work& work) const {
    work();
  }
  static void forget(cudaGraphExec_t) {}
  void upload(void* to, const void* from, std::size_t bytes) const { std::memcpy(to, from, bytes); }
  void download(void* to, const void* from, std::size_t bytes) const {
    std::memcpy(to, from, bytes);
  }
  void wait() const {}
  void settle() const {}
};

/// Host memory that the card copies from and to without a detour.
class Pinned {
 public:
  explicit Pinned(std::size_t doubles) : plain_(doubles) {
    void* pinned = nullptr;
    if (cudaMallocHost(&pinned, doubles * sizeof(double)) == cudaSuccess)
      pinned_ = static_cast<double*>(pinned);
    else
      cudaGetLastError();  // pageable memory serves as well
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

/// The recordings of a gradient in its variants: values or dual numbers, chains shifted or not,
/// with the loss or without.
template <class Place>
class Recordings {
 public:
  Recordings() = default;
  Recordings(const Recordings&) = delete;
  Recordings& operator=(const Recordings&) = delete;
  ~Recordings() {
    for (cudaGraphExec_t kept : kept_) Place::forget(kept);
  }
  template <class Work>
  void run(const Place& place, bool dual, bool shifted, bool with_loss, const Work& work) {
    const int i = 4 * dual + 2 * shifted + with_loss;
    place.replay(kept_[i], seen_[i], work);
  }

 private:
  cudaGraphExec_t kept_[8] = {};
  bool seen_[8] = {};
};

template <class Vector>
auto* raw(Vector& v) {
  return thrust::raw_pointer_cast(v.data());
}

}  // namespace gihflow::GIHFLOW_ISA
