// Rosenbrock steps as a Method.

#include "flow/method.hpp"
#include "flow/rosenbrock.hpp"

namespace gihflow {

namespace {

using State = Eigen::VectorXd;

class Rosenbrock4 final : public Method {
 public:
  explicit Rosenbrock4(Eigen::Index size)
      : step_(static_cast<std::size_t>(size)), jacobian_(size, size), at_(size), slope_(size) {}
  std::string name() const override { return "rosenbrock4"; }
  int order() const override { return 4; }
  bool uses_jacobian() const override { return true; }

  void step(const RightHandSide& f, const StepStart& start, double dt, StepEnd& end) override {
    const Eigen::Index n = start.x.size();
    jacobian_ = start.jacobian;
    end.x.resize(n);
    end.slope.resize(n);
    end.error.resize(n);
    auto right_hand_side = [&](const double* x, double* dxdt) {
      at_ = Eigen::Map<const State>(x, n);
      f(at_, slope_);
      Eigen::Map<State>(dxdt, n) = slope_;
    };
    step_.step(right_hand_side, start.x.data(), start.slope.data(), jacobian_.data(), dt,
               end.x.data(), end.error.data());
    f(end.x, end.slope);
  }

  void interpolate(const RightHandSide&, const StepStart& start, const StepEnd& end, double dt,
                   double dt_out, State& out) override {
    out.resize(start.x.size());
    step_.interpolate(start.x.data(), end.x.data(), dt, dt_out, out.data());
  }

 private:
  RosenbrockStep step_;
  Eigen::Matrix<double, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor> jacobian_;
  State at_, slope_;
};

}  // namespace

std::unique_ptr<Method> make_rosenbrock4(Eigen::Index size) {
  return std::make_unique<Rosenbrock4>(size);
}

}  // namespace gihflow
