// The population loss (2.4) and its gradient (3.1) on chains drawn from the prior, beside a central
// difference.
//
//     loss_and_gradient

#include <cstdio>

#include <gihflow/gihflow.hpp>

using namespace gihflow;

int main() {
  Model model;  // d = 3 tokens, H = 3 heads with windows of M = 3 lags, subsets of at most D = 2
                // heads
  SamplingOptions sampling;
  sampling.count = 1000;
  const auto chains = sample_prior(sampling);             // L = 100, parents {1,2}, Dirichlet(0.1)
  const auto objective = make_objective(model, *chains);  // the chains are counted once, here
  const Parameters at = initial_parameters(model, {.a = 1.0});

  Gradient gradient;
  objective->gradient(point_of(at), gradient);
  const auto by_c = c_gradient(at, gradient);
  std::printf("loss %.6f nats, %s engine, N = %lld\n", gradient.loss, objective->engine().c_str(),
              static_cast<long long>(objective->chains()));
  const auto sets = subsets(model.heads, model.degree);
  for (std::size_t i = 0; i < sets.size(); ++i) {
    std::printf("dL/dc %-6s %+.6e\n", to_string_subset(sets[i]).c_str(), by_c[i]);
  }

  const double h = 1e-5;
  Point left = point_of(at), right = left;
  left.a -= h;
  right.a += h;
  const double quotient = (objective->loss(right) - objective->loss(left)) / (2 * h);
  std::printf("dL/da        %+.6e, by differences %+.6e\n", gradient.a, quotient);
}
