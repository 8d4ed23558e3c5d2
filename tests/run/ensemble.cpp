#include "gihflow/run/ensemble.hpp"

#include <doctest/doctest.h>

#include <cmath>
#include <limits>

#include "gihflow/model/parameters.hpp"

using namespace gihflow;

namespace {

// A run of one stage with these losses, of 1, 2, … recorded points.
Recorded with_losses(const std::vector<double>& losses) {
  RunFile run;
  run.state.start = initial_parameters(Model(), InitialPoint());
  run.state.trajectory.stages.resize(1);
  for (std::size_t i = 0; i < losses.size(); ++i) {
    Snapshot snapshot;
    snapshot.parameters = run.state.start;
    snapshot.t = static_cast<double>(i);
    snapshot.loss = losses[i];
    run.state.trajectory.stages[0].snapshots.push_back(snapshot);
  }
  return recorded(run);
}

const EnsembleColumn& loss_of(const EnsembleStage& stage) {
  for (const EnsembleColumn& column : stage.columns) {
    if (std::string(column.quantity.name) == "loss") return column;
  }
  throw std::logic_error("no loss");
}

}  // namespace

TEST_CASE("quantiles interpolate between order statistics") {
  const double sorted[] = {1, 2, 4, 8};
  CHECK(quantile(sorted, 0.0) == 1);
  CHECK(quantile(sorted, 0.5) == 3);
  CHECK(quantile(sorted, 0.75) == 5);
  CHECK(quantile(sorted, 1.0) == 8);
  CHECK(quantile(std::span(sorted, 1), 0.95) == 1);
  const double infinite[] = {1, INFINITY, INFINITY};
  CHECK(quantile(infinite, 0.75) == INFINITY);
  CHECK(quantile(infinite, 0.25) == INFINITY);
}

TEST_CASE("a time is that of the runs which recorded it") {
  const Ensemble over =
      ensemble({with_losses({1, 2, 3}), with_losses({3, 6}), with_losses({2, 1, 5})});
  REQUIRE(over.stages.size() == 1);
  const EnsembleStage& stage = over.stages[0];
  CHECK(stage.t == std::vector<double>{0, 1, 2});
  CHECK(stage.replicas == std::vector<Index>{3, 3, 2});
  const EnsembleColumn& loss = loss_of(stage);
  CHECK(loss.mean == std::vector<double>{2, 3, 4});
  CHECK(loss.deviation[0] == 1);
  CHECK(loss.deviation[2] == doctest::Approx(std::sqrt(2.0)));
  const std::size_t median = 2;  // of quantile_levels
  CHECK(loss.quantiles[median * 3 + 0] == 2);
  CHECK(loss.quantiles[median * 3 + 1] == 2);
  CHECK(loss.quantiles[median * 3 + 2] == 4);
}

TEST_CASE("one run has no deviation, and what is no number has no quantile") {
  const double nan = std::numeric_limits<double>::quiet_NaN();
  const EnsembleStage one = ensemble({with_losses({1, 2})}).stages[0];
  CHECK(std::isnan(loss_of(one).deviation[0]));
  CHECK(loss_of(one).quantiles[0] == 1);
  const EnsembleStage two = ensemble({with_losses({nan}), with_losses({1})}).stages[0];
  CHECK(std::isnan(loss_of(two).mean[0]));
  CHECK(std::isnan(loss_of(two).quantiles[0]));
}
