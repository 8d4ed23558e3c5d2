#include "gihflow/flow/modified.hpp"

#include "flow/cartesian.hpp"
#include "flow/integrate.hpp"

namespace gihflow {

namespace {

class ModifiedEquation final : private Integration {
 public:
  ModifiedEquation(const Objective& objective, const Stage& blocks, const Parameters& start,
                   double learning_rate, const ModifiedFlowOptions& options)
      : objective_(objective),
        coordinates_(blocks, start),
        rate_(learning_rate),
        options_(options),
        method_(make_fehlberg78()) {}

  ModifiedFlow run(const std::vector<double>& times) {
    ModifiedFlow out;
    try {
      start(0.0, coordinates_.initial_point(), times.empty() ? 0.0 : times.back());
      for (const double time : times) {
        out.outcome = integrate(time);
        if (out.outcome != Outcome::reached) break;
        out.points.push_back(coordinates_.parameters(from_.x));
      }
    } catch (const NonFinite&) {
      out.outcome = Outcome::non_finite;
    }
    out.evaluations = statistics().rhs_evaluations;
    return out;
  }

 private:
  Method& method() override { return *method_; }
  State scale(const State& x, const State& y) const override {
    return error_scale(x, y, options_.rtol, options_.atol);
  }
  Outcome before_step() override {
    return statistics().rhs_evaluations >= options_.max_evaluations ? Outcome::step_limit
                                                                    : Outcome::running;
  }
  void slope(const State& x, State& dxdt) override {
    require_finite(x);
    coordinates_.point(x, at_);
    objective_.gradient(at_, g_, false);
    coordinates_.gradient(x, at_, g_, gradient_);
    dxdt = -gradient_;
    if (rate_ != 0.0) {
      coordinates_.direction(x, at_, gradient_, along_);
      objective_.gradient_along(at_, along_, g_, dg_);
      coordinates_.hessian_product(x, at_, gradient_, along_, g_, dg_, product_);
      dxdt -= 0.5 * rate_ * product_;
    }
    require_finite(dxdt);
  }

  const Objective& objective_;
  const Cartesian coordinates_;
  double rate_;
  const ModifiedFlowOptions& options_;
  std::unique_ptr<Method> method_;
  Point at_, along_;
  Gradient g_, dg_;
  State gradient_, product_;
};

}  // namespace

ModifiedFlow modified_flow(const Objective& objective, const Stage& blocks, const Parameters& start,
                           double learning_rate, const std::vector<double>& times,
                           const ModifiedFlowOptions& options) {
  return ModifiedEquation(objective, blocks, start, learning_rate, options).run(times);
}

}  // namespace gihflow
