// The objective in infinite context, formula (5.1), on a CUDA card: matrix products by cuBLAS.

#define GIHFLOW_ISA card

#include <cublas_v2.h>
#include <dlfcn.h>

#include <memory>
#include <string>

#include "gihflow/base/errors.hpp"
#include "population/engines.hpp"
#include "population/staged.cuh"
#include "population/staged_parts.hpp"

namespace gihflow {

namespace {

using namespace card;  // NOLINT: the names of this engine's own instruction set

/// The functions of cuBLAS, which is loaded when the first objective needs it: linked in, the half
/// gigabyte of its libraries with 350,000 relocations would cost each start of the program 70 ms.
struct Blas {
  decltype(&cublasCreate_v2) create;
  decltype(&cublasDestroy_v2) destroy;
  decltype(&cublasSetStream_v2) set_stream;
  decltype(&cublasSetWorkspace_v2) set_workspace;
  decltype(&cublasDgemm_v2_64) dgemm;
  decltype(&cublasGetStatusString) status_string;

  static const Blas& loaded() {
    static const Blas functions;
    return functions;
  }

 private:
  Blas() {
    const std::string name = "libcublas.so." + std::to_string(CUBLAS_VER_MAJOR);
    void* library = dlopen(name.c_str(), RTLD_NOW | RTLD_LOCAL);
    if (library == nullptr) library = dlopen(GIHFLOW_CUBLAS, RTLD_NOW | RTLD_LOCAL);
    if (library == nullptr) throw std::runtime_error(std::string("CUDA: ") + dlerror());
    find(library, "cublasCreate_v2", create);
    find(library, "cublasDestroy_v2", destroy);
    find(library, "cublasSetStream_v2", set_stream);
    find(library, "cublasSetWorkspace_v2", set_workspace);
    find(library, "cublasDgemm_v2_64", dgemm);
    find(library, "cublasGetStatusString", status_string);
  }

  template <class Function>
  static void find(void* library, const char* name, Function& function) {
    function = reinterpret_cast<Function>(dlsym(library, name));
    if (function == nullptr) throw std::runtime_error(std::string("CUDA: ") + dlerror());
  }
};

constexpr std::size_t workspace_bytes = std::size_t{32} << 20;

/// Products with the laws J [rows, windows] by cuBLAS, see staged_infinite.hpp.
class CardProducts {
 public:
  explicit CardProducts(const Card& place) : workspace_(workspace_bytes) {
    check(blas_.create(&handle_), "cuBLAS");
    check(blas_.set_stream(handle_, place.stream()), "cuBLAS on a stream");
    check(blas_.set_workspace(handle_, Card::raw(workspace_), workspace_bytes),
          "cuBLAS's workspace");
  }
  CardProducts(const CardProducts&) = delete;
  CardProducts& operator=(const CardProducts&) = delete;
  ~CardProducts() { blas_.destroy(handle_); }

  /// to [rows, columns] = J·x, x [windows, columns].
  void apply(const double* law, Index rows, Index windows, const double* x, Index columns,
             double* to) const {
    multiply(CUBLAS_OP_N, columns, rows, windows, x, law, windows, to);
  }
  /// to [windows, columns] = Jᵀ·x, x [rows, columns].
  void apply_transposed(const double* law, Index rows, Index windows, const double* x,
                        Index columns, double* to) const {
    multiply(CUBLAS_OP_T, columns, windows, rows, x, law, windows, to);
  }

 private:
  void check(cublasStatus_t status, const char* what) const {
    if (status != CUBLAS_STATUS_SUCCESS)
      throw std::runtime_error(std::string("CUDA: ") + what + ": " + blas_.status_string(status));
  }
  // cuBLAS stores columns: it sees every matrix transposed, and the product in the other order.
  void multiply(cublasOperation_t law_as, Index columns, Index rows, Index inner, const double* x,
                const double* law, Index law_stride, double* to) const {
    const double one = 1.0, zero = 0.0;
    check(blas_.dgemm(handle_, CUBLAS_OP_N, law_as, columns, rows, inner, &one, x, columns, law,
                      law_stride, &zero, to, columns),
          "a matrix product");
  }

  const Blas& blas_ = Blas::loaded();
  cublasHandle_t handle_ = nullptr;
  mutable thrust::device_vector<char> workspace_;
};

}  // namespace

std::unique_ptr<PartedObjective> make_cuda_infinite_objective(const Model& model,
                                                              const Kernels& kernels,
                                                              Index part_size, Index of) {
  if (!cuda_fault().empty()) throw InputError(Fault{Field::device, "cuda", cuda_fault(), ""});
  try {
    return staged_infinite_objective<Card, CardProducts>(model, kernels, part_size, of);
  } catch (const std::bad_alloc&) {
    throw InputError(Fault{
        Field::chains, std::to_string(kernels.count),
        Phrase("their laws in infinite context do not fit " + cuda_card() + "; use fewer, or ",
               Field::device, " cpu"),
        ""});
  }
}

}  // namespace gihflow
