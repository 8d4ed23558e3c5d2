// The flow against an integrator that is not ours: CVODE of SUNDIALS, backward differentiation
// formulas of variable order with Jacobians by differences. Compiled where SUNDIALS is installed.

#include <cvode/cvode.h>
#include <doctest/doctest.h>
#include <nvector/nvector_serial.h>
#include <sundials/sundials_context.h>
#include <sunlinsol/sunlinsol_dense.h>
#include <sunmatrix/sunmatrix_dense.h>

#include <algorithm>
#include <cmath>
#include <string>
#include <vector>

#include "flow/system.hpp"
#include "gihflow/flow/flow.hpp"
#include "support/settings.hpp"

using namespace gihflow;
using namespace gihflow::testing;

namespace {

using State = Eigen::VectorXd;

int right_hand_side(realtype, N_Vector x, N_Vector dxdt, void* system) {
  const Index n = N_VGetLength(x);
  State slope;
  try {
    static_cast<StageSystem*>(system)->slope(Eigen::Map<const State>(N_VGetArrayPointer(x), n),
                                             slope);
  } catch (const NonFinite&) {
    return 1;  // try a smaller step
  }
  Eigen::Map<State>(N_VGetArrayPointer(dxdt), n) = slope;
  return 0;
}

/// Parameters at the given times of a stage, by CVODE's BDF.
std::vector<Parameters> integrate(const Objective& objective, const Stage& stage,
                                  const Parameters& start, const std::vector<double>& times,
                                  double rtol) {
  const Coordinates coordinates(stage, start);
  StageSystem system(objective, coordinates);
  const State initial = coordinates.initial_state();
  SUNContext context = nullptr;
  REQUIRE(SUNContext_Create(nullptr, &context) == 0);
  N_Vector x = N_VNew_Serial(initial.size(), context);
  std::copy(initial.begin(), initial.end(), N_VGetArrayPointer(x));
  void* solver = CVodeCreate(CV_BDF, context);
  REQUIRE(CVodeInit(solver, right_hand_side, 0.0, x) == CV_SUCCESS);
  REQUIRE(CVodeSStolerances(solver, rtol, 1e-2 * rtol) == CV_SUCCESS);
  SUNMatrix matrix = SUNDenseMatrix(initial.size(), initial.size(), context);
  SUNLinearSolver linear = SUNLinSol_Dense(x, matrix, context);
  REQUIRE(CVodeSetLinearSolver(solver, linear, matrix) == CV_SUCCESS);
  REQUIRE(CVodeSetUserData(solver, &system) == CV_SUCCESS);
  REQUIRE(CVodeSetMaxNumSteps(solver, 1000000) == CV_SUCCESS);
  REQUIRE(CVodeSetStopTime(solver, times.back()) == CV_SUCCESS);
  std::vector<Parameters> out{start};
  for (std::size_t k = 1; k < times.size(); ++k) {
    double t = 0.0;
    REQUIRE(CVode(solver, times[k], x, &t, CV_NORMAL) >= 0);
    out.push_back(
        coordinates.parameters(Eigen::Map<const State>(N_VGetArrayPointer(x), initial.size())));
  }
  SUNLinSolFree(linear);
  SUNMatDestroy(matrix);
  CVodeFree(&solver);
  N_VDestroy(x);
  SUNContext_Free(&context);
  return out;
}

/// Largest difference in p, σ and a, and where.
double largest_difference(const std::vector<Snapshot>& ours,
                          const std::vector<Parameters>& theirs) {
  REQUIRE(ours.size() == theirs.size());
  double largest = 0.0;
  auto compare = [&](const std::vector<double>& x, const std::vector<double>& y) {
    for (std::size_t i = 0; i < x.size(); ++i) largest = std::max(largest, std::abs(x[i] - y[i]));
  };
  for (std::size_t k = 0; k < ours.size(); ++k) {
    compare(ours[k].parameters.p(), theirs[k].p());
    compare(ours[k].parameters.attention(), theirs[k].attention());
    compare({ours[k].parameters.a}, {theirs[k].a});
  }
  return largest;
}

std::vector<double> times_of(const StageRecord& stage) {
  std::vector<double> times;
  for (const Snapshot& s : stage.snapshots) times.push_back(s.t);
  return times;
}

void check_agreement(const Objective& objective, const char* schedule, const Parameters& start,
                     std::initializer_list<Integrator> integrators, double rtol) {
  std::vector<Parameters> theirs;
  for (Integrator integrator : integrators) {
    CAPTURE(schedule);
    CAPTURE(to_string(integrator));
    FlowOptions options;
    options.integrator = integrator;
    options.rtol = rtol;
    options.atol = 1e-3 * rtol;
    options.outputs = 60;
    options.first_output = 0.05;  // before the first of the fast phases
    TrainingState state = begin_training(start);
    REQUIRE(train_flow(state, parse_schedule(schedule), objective, nullptr, options, nullptr) ==
            Outcome::reached);
    const StageRecord& stage = state.trajectory.stages[0];
    if (theirs.empty()) theirs = integrate(objective, stage.stage, start, times_of(stage), 1e-10);
    const double difference = largest_difference(stage.snapshots, theirs);
    MESSAGE(std::string(schedule) << ", " << to_string(integrator) << ": " << difference << ", "
                                  << stage.statistics.rhs_evaluations << " right-hand sides");
    CHECK(difference <= 1e-6);
  }
}

}  // namespace

TEST_CASE("explicit, Rodas and CVODE agree on every stage") {
  const auto objective = make_objective({}, *sample_prior(sampling(200)));
  Parameters start = initial_parameters({}, {});
  for (const char* schedule : {"c:2000", "w:50000", "a:5000"}) {
    check_agreement(*objective, schedule, start,
                    {Integrator::dopri5, Integrator::fehlberg78, Integrator::rodas5p}, 1e-9);
    TrainingState state = begin_training(start);
    train_flow(state, parse_schedule(schedule), *objective, nullptr, {}, nullptr);
    start = final_parameters(state);
  }
}

TEST_CASE("automatic, Rodas and CVODE agree along the joint run") {
  SamplingOptions data;  // few of the default chains: a mixture of {1,2} and {3} from t = 2,500 on
  data.count = 200;
  const auto objective = make_objective({}, *sample_prior(data));
  check_agreement(*objective, "cwa:50000", initial_parameters({}, {}),
                  {Integrator::automatic, Integrator::rodas5p}, 1e-8);
}
