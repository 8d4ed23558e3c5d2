// Loss and gradient on flat vectors.

#include <algorithm>
#include <memory>
#include <mutex>
#include <optional>

#include "blocks.hpp"
#include "call.hpp"
#include "gihflow/base/context.hpp"
#include "gihflow/base/errors.hpp"
#include "gihflow/flow/hessian.hpp"
#include "gihflow/run/objectives.hpp"
#include "options.hpp"

namespace gihflow::python {

namespace {

using Flat = nb::ndarray<const double, nb::ndim<1>, nb::c_contig, nb::device::cpu>;
using Out = nb::ndarray<double, nb::ndim<1>, nb::c_contig, nb::device::cpu>;

// An array of doubles that NumPy owns the show of, and where its numbers go.
struct NewArray {
  explicit NewArray(std::size_t size) : numbers(new double[size]) {
    const nb::capsule owner(numbers, [](void* p) noexcept { delete[] static_cast<double*>(p); });
    array = nb::cast(nb::ndarray<nb::numpy, double>(numbers, {size}, owner));
  }
  double* numbers;
  nb::object array;
};

// A vector that was given as the argument of this name, converted where it holds other numbers.
Flat vector_of(const nb::object& given, const char* name) {
  Flat vector;
  if (!nb::try_cast(given, vector))
    throw nb::type_error(
        (std::string(name) + " must be an array of numbers with one axis, contiguous").c_str());
  return vector;
}

class FlatObjective {
 public:
  FlatObjective(std::shared_ptr<const Objective> objective, Parameters start,
                std::optional<int> threads, std::string tokens_hash)
      : objective_(std::move(objective)),
        start_(std::move(start)),
        size_(size_of(start_)),
        threads_(threads),
        tokens_hash_(std::move(tokens_hash)) {}

  nb::tuple value_and_gradient(const nb::object& x, const nb::object& given) const {
    const Parameters at = parameters_at(vector_of(x, "x"), "x");
    std::optional<NewArray> made;
    Out out;
    if (given.is_none()) {
      made.emplace(size_);
    } else if (!nb::try_cast(given, out, false)) {  // a copy would not be seen
      throw nb::type_error("out must be a contiguous array of float64 that may be written to");
    } else if (out.size() != size_) {
      refuse("out", out.size());
    }
    Gradient gradient;
    {
      const nb::gil_scoped_release others_may_run;
      const ContextScope scope({.threads = threads_});
      objective_->gradient(point_of(at), gradient);
      pack_gradient(at, gradient, made ? made->numbers : out.data());
    }
    return nb::make_tuple(gradient.loss, made ? made->array : given);
  }

  double value(const nb::object& x) const {
    const Parameters at = parameters_at(vector_of(x, "x"), "x");
    const nb::gil_scoped_release others_may_run;
    const ContextScope scope({.threads = threads_});
    return objective_->loss(point_of(at));
  }

  nb::object gradient(const nb::object& x, const std::optional<std::vector<Index>>& chains) const {
    const Parameters at = parameters_at(vector_of(x, "x"), "x");
    NewArray made(size_);
    {
      const nb::gil_scoped_release others_may_run;
      const ContextScope scope({.threads = threads_});
      Gradient gradient;
      if (chains)
        objective_->batch_gradient(*chains, point_of(at), gradient);
      else
        objective_->gradient(point_of(at), gradient, false);
      pack_gradient(at, gradient, made.numbers);
    }
    return made.array;
  }

  nb::object hvp(const nb::object& given_x, const nb::object& given_v) const {
    const Flat x = vector_of(given_x, "x"), v = vector_of(given_v, "v");
    if (v.size() != size_) refuse("v", v.size());
    const Parameters at = parameters_at(x, "x");
    std::vector<double> product;
    {
      const nb::gil_scoped_release others_may_run;
      const ContextScope scope({.threads = threads_});
      product = hessian_at(x, at)->product({v.data(), v.size()});
    }
    return array_of(std::move(product));
  }

  std::pair<double, nb::object> standard_errors(const nb::object& x) const {
    const Parameters at = parameters_at(vector_of(x, "x"), "x");
    StandardErrors errors;
    {
      const nb::gil_scoped_release others_may_run;
      const ContextScope scope({.threads = threads_});
      errors = objective_->standard_errors(at);
    }
    return {errors.loss, array_of(packed(errors))};
  }

  std::size_t size() const { return size_; }
  nb::tuple blocks() const { return described_blocks(start_); }
  nb::object start() const { return array_of(packed(start_)); }
  Index chains() const { return objective_->chains(); }
  std::string engine() const { return objective_->engine(); }
  std::size_t memory() const { return objective_->memory(); }
  const std::string& tokens_hash() const { return tokens_hash_; }

 private:
  [[noreturn]] void refuse(const char* name, std::size_t size) const {
    throw InputError(Fault{.value = std::to_string(size) + " numbers",
                           .allowed = "must be " + std::to_string(size_) + ", those of all blocks",
                           .where = name});
  }

  Parameters parameters_at(const Flat& x, const char* name) const {
    if (x.size() != size_) refuse(name, x.size());
    Parameters at = unpacked({x.data(), x.size()}, start_);
    parameter_errors(at, objective_->model(), name).throw_if_any();
    return at;
  }

  // Products at one point share its gradient.
  std::shared_ptr<const Hessian> hessian_at(const Flat& x, const Parameters& at) const {
    const std::lock_guard guard(mutex_);
    if (!hessian_ || !std::equal(hessian_x_.begin(), hessian_x_.end(), x.data())) {
      hessian_ = std::make_shared<const Hessian>(*objective_, every_block(at), at);
      hessian_x_.assign(x.data(), x.data() + x.size());
    }
    return hessian_;
  }

  std::shared_ptr<const Objective> objective_;
  Parameters start_;
  std::size_t size_;
  std::optional<int> threads_;
  std::string tokens_hash_;
  mutable std::mutex mutex_;
  mutable std::shared_ptr<const Hessian> hessian_;
  mutable std::vector<double> hessian_x_;
};

void make(FlatObjective* self, const nb::dict& values, const std::string& config,
          const nb::dict& inputs, const nb::object& listener) {
  const Assembled asked = assembled({"Objective", values, config, inputs, listener});
  const nb::object done = follow(listener, [&](RunObserver& observer) -> Finish {
    Problem problem = prepare(asked);
    for (const Phrase& note : problem.notes) observer.note(note);
    observer.phase(problem.data ? "counting windows" : "drawing chains");
    const ContextScope scope({.threads = problem.setting.threads});
    const Objectives made = make_objectives(problem);
    if (!made.device_note.empty()) observer.note(made.device_note);
    new (self)
        FlatObjective(made.training, problem.start(), problem.setting.threads, made.tokens_hash);
    return [] { return nb::object(nb::none()); };
  });
}

}  // namespace

void add_objective(nb::module_& module) {
  nb::class_<FlatObjective>(module, "Objective", "Loss and gradient on flat vectors.")
      .def("__init__", make, nb::arg("values"), nb::arg("config"), nb::arg("inputs"),
           nb::arg("listener").none())
      .def("value_and_gradient", &FlatObjective::value_and_gradient, nb::arg("x").none(),
           nb::arg("out") = nb::none(),
           nb::sig("def value_and_gradient(self, x: NDArray[numpy.float64], out: "
                   "NDArray[numpy.float64] | None = None) -> tuple[float, NDArray[numpy.float64]]"),
           "Loss (2.4) in nats and its gradient [size] at x [size]; the gradient goes into `out` "
           "where that is given.")
      .def("value", &FlatObjective::value, nb::arg("x").none(),
           nb::sig("def value(self, x: NDArray[numpy.float64]) -> float"),
           "Loss (2.4) in nats at x [size].")
      .def("gradient", &FlatObjective::gradient, nb::arg("x").none(),
           nb::arg("chains") = nb::none(),
           nb::sig("def gradient(self, x: NDArray[numpy.float64], chains: Sequence[int] | None = "
                   "None) -> NDArray[numpy.float64]"),
           "Gradient [size] at x [size], over all chains or over some by their numbers.")
      .def("hvp", &FlatObjective::hvp, nb::arg("x").none(), nb::arg("v").none(),
           nb::sig("def hvp(self, x: NDArray[numpy.float64], v: NDArray[numpy.float64]) -> "
                   "NDArray[numpy.float64]"),
           "Product of the Hessian at x [size] with v [size], exact, by dual numbers.")
      .def("standard_errors", &FlatObjective::standard_errors, nb::arg("x").none(),
           nb::sig("def standard_errors(self, x: NDArray[numpy.float64]) -> tuple[float, "
                   "NDArray[numpy.float64]]"),
           "Monte Carlo standard errors over chains of the loss and of the gradient [size] at x.")
      .def_prop_ro("size", &FlatObjective::size, "Number of parameters.")
      .def_prop_ro("described_blocks", &FlatObjective::blocks,
                   "Letter, meaning and shape of each block of a flat vector, in its order.")
      .def_prop_ro("start", &FlatObjective::start,
                   nb::for_getter(nb::sig("def start(self, /) -> NDArray[numpy.float64]")),
                   "The initial point [size].")
      .def_prop_ro("chains", &FlatObjective::chains, "Number of chains N.")
      .def_prop_ro("engine", &FlatObjective::engine,
                   "What computes: dense, sparse, reference, infinite.")
      .def_prop_ro("memory", &FlatObjective::memory,
                   "Bytes that the statistics of the chains take.")
      .def_prop_ro("tokens_hash", &FlatObjective::tokens_hash, "The data_hash of the chains.");
}

}  // namespace gihflow::python
