#pragma once

#include <memory>
#include <optional>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "gihflow/base/export.hpp"
#include "gihflow/chain/sequence.hpp"
#include "gihflow/model/model.hpp"
#include "gihflow/model/parameters.hpp"
#include "gihflow/population/device.hpp"

namespace GIHFLOW_API gihflow {

/// A point of the model with p free on the simplex, formulas (2.1)–(2.3).
struct Point : PlainBlocks {
  std::vector<double> p;  ///< [subsets]

  Point() = default;
  /// Of weights p and the plain arrays.
  Point(std::vector<double> weights, PlainBlocks blocks)
      : PlainBlocks(std::move(blocks)), p(std::move(weights)) {}
  /// Of a model with no other blocks than c, w and a.
  Point(std::vector<double> weights, std::vector<double> logits, double scale)
      : p(std::move(weights)) {
    w = std::move(logits);
    a = scale;
  }
};

/// The point with p = softmax(θ) of parameters.
Point point_of(const Parameters& parameters);

/// Loss 𝓛 in nats and its derivatives with p treated as free (3.1).
struct Gradient : PlainBlocks {
  double loss = 0.0;
  std::vector<double> p;  ///< ∂𝓛/∂p_S [subsets]
  /// ∂𝓛/∂σ [H, M] along the simplex: the derivative in σ_i^{(h)} less its mean under σ^{(h)}, so
  /// that ∂𝓛/∂w = σ·(∂𝓛/∂σ). Defined at one-hot attention too, where ∂𝓛/∂w vanishes. With partial
  /// windows every window renormalises the σ of the lags that exist in it. Empty from the reference
  /// engine, and where attention depends on tokens.
  std::vector<double> attention;
};

/// ∂𝓛/∂c_S = (2c_S/C_D)(∂𝓛/∂p_S − Σ p ∂𝓛/∂p) for parameters c, (3.1).
std::vector<double> c_gradient(const Parameters& parameters, const Gradient& gradient);

/// Monte Carlo standard errors of the loss and of its gradient in c and the plain blocks: the
/// standard deviation over chains divided by √N. NaN where undefined (N = 1).
struct StandardErrors : PlainBlocks {
  double loss = 0.0;
  std::vector<double> c;
};

/// How sums over chains are computed: eight chains at a time, one at a time, or by the definition.
enum class Engine { automatic, dense, sparse, reference };

/// Loss, gradient and second derivatives of the population objective over fixed chains. Every
/// result is a deterministic function of the chains and the point, whatever the number of threads.
/// Thread-safe.
class Objective {
 public:
  virtual ~Objective() = default;

  /// The model whose loss it is.
  virtual const Model& model() const = 0;
  virtual Index chains() const = 0;  ///< N
  /// Name of the engine that computes: "dense", "sparse", "reference", "infinite".
  virtual std::string engine() const = 0;
  /// Memory that the statistics take, in bytes.
  virtual std::size_t memory() const = 0;

  /// Fills `out`. The loss costs a logarithm a chain and token: with_loss = false leaves it NaN.
  virtual void gradient(const Point& at, Gradient& out, bool with_loss = true) const = 0;
  /// Loss (2.4), nats.
  virtual double loss(const Point& at) const;

  /// Mean gradient over some of the chains, a minibatch: distinct numbers in [0, N), in any order,
  /// none of which changes a bit. The loss stays NaN. Throws InputError where the engine has no
  /// minibatches.
  virtual void batch_gradient(std::span<const Index> chains, const Point& at, Gradient& out) const;

  /// Gradient at `at` and its exact directional derivative along a direction `along` of the point,
  /// by dual numbers: a Hessian–vector product in p and the plain blocks. `derivative.loss` is the
  /// directional derivative of the loss. With along = ∂/∂a at a = 0, −derivative.p is
  /// G(S;w) of (6.5).
  virtual void gradient_along(const Point& at, const Point& along, Gradient& out,
                              Gradient& derivative) const = 0;

  /// A pass of its own over the chains; costs many gradients.
  virtual StandardErrors standard_errors(const Parameters& at) const = 0;
};

/// Bytes that an objective takes at most: while it is made and evaluated, and between evaluations.
struct MemoryBound {
  double peak = 0.0, kept = 0.0;
};

/// Of make_objective() with standard errors, beside what drawing a sequence takes, on as many
/// threads as the context says. On a card: the host's memory.
MemoryBound objective_memory(const Model& model, Index chains, Index length, Engine engine,
                             Device device);

/// The objective (2.4) on finite-context sequences. Draws every sequence of `source` once, reduces
/// it to its sufficient statistics (§4) and forgets it; the reference engine keeps tokens.
/// `automatic` chooses dense or sparse by estimated cost, never the reference, which knows no card.
/// Throws InputError: L ≤ W with masked boundary, vocabulary of source ≠ vocabulary of model,
/// windows too wide to be numbered ((d+1)^W ≥ 2^62), statistics larger than the memory of the
/// machine or of the card, device cuda where there is a cuda_fault().
std::unique_ptr<Objective> make_objective(const Model& model, const SequenceSource& source,
                                          Engine engine = Engine::automatic,
                                          Device device = Device::cpu);

}  // namespace gihflow
