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

/// A point at which an objective is evaluated: the weights p of (2.2), as variables of their own in
/// place of c, and the plain blocks.
struct Point : PlainBlocks {
  std::vector<double> p;  ///< [subsets]

  Point() = default;
  /// From weights p and the plain blocks.
  Point(std::vector<double> weights, PlainBlocks blocks)
      : PlainBlocks(std::move(blocks)), p(std::move(weights)) {}
  /// For a model with only the blocks c, w and a.
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
  /// ∂𝓛/∂σ [H, M] along the simplex: the derivative in σ_i^{(h)} minus its mean under σ^{(h)}, so
  /// that ∂𝓛/∂w = σ·(∂𝓛/∂σ). Also defined at one-hot attention, where ∂𝓛/∂w vanishes. With partial
  /// windows every window renormalises the σ of the lags that exist in it. Empty from the reference
  /// engine, and if attention depends on tokens.
  std::vector<double> attention;
};

/// The derivatives that an evaluation is asked for: none, that in a, those in a and p, or those in
/// all blocks. The fewer, the less it costs: a and p alone need no way back to the windows'
/// features.
enum class Derivatives : char { none, scale, weights, all };

/// Those that the gradient in these blocks is made of.
Derivatives derivatives_in(const BlockSet& blocks);

/// ∂𝓛/∂c_S = (2c_S/C_D)(∂𝓛/∂p_S − Σ p ∂𝓛/∂p) for parameters c, (3.1).
std::vector<double> c_gradient(const Parameters& parameters, const Gradient& gradient);

/// Monte Carlo standard errors of the loss and of its gradient in c and the plain blocks: the
/// standard deviation over chains divided by √N. NaN at N = 1 and where the mean is not finite.
struct StandardErrors : PlainBlocks {
  double loss = 0.0;
  std::vector<double> c;
};

/// How sums over chains are computed. dense: many chains at a time, eight on a CPU; sparse: one at
/// a time; reference: position by position, by the definition; automatic: dense or sparse.
enum class Engine { automatic, dense, sparse, reference };

/// Loss, gradient and second derivatives of the population objective over fixed chains. Every
/// result is a deterministic function of the chains and the point, whatever the number of threads.
/// Thread-safe. Throws InputError where the arrays of a point are not of the model's sizes.
class Objective {
 public:
  virtual ~Objective() = default;

  /// The model whose loss it is.
  virtual const Model& model() const = 0;
  virtual Index chains() const = 0;  ///< N
  /// Name of the engine: "dense", "sparse", "reference", "infinite".
  virtual std::string engine() const = 0;
  /// Memory of the statistics, laws or tokens that this process keeps, in bytes.
  virtual std::size_t memory() const = 0;

  /// Writes loss and gradient into `out`. The loss costs a logarithm per chain and token; with_loss
  /// = false leaves it NaN.
  virtual void gradient(const Point& at, Gradient& out, bool with_loss = true) const = 0;
  /// The same where only some derivatives are asked for, which have the same bits. The others are
  /// NaN, or are given all the same.
  virtual void gradient_in(Derivatives wanted, const Point& at, Gradient& out,
                           bool with_loss = true) const;
  /// Loss (2.4), nats.
  virtual double loss(const Point& at) const;

  /// Mean gradient over a minibatch: distinct chain numbers in [0, N), whose order does not change
  /// a bit. The loss is NaN. Throws InputError if the engine has no minibatches.
  virtual void batch_gradient(std::span<const Index> chains, const Point& at, Gradient& out) const;

  /// Gradient at `at` and its exact directional derivative along a direction `along` of the point,
  /// by dual numbers: a Hessian–vector product in p and the plain blocks. `derivative.loss` is the
  /// directional derivative of the loss. With along = ∂/∂a at a = 0, −derivative.p is
  /// G(S;w) of (6.5).
  virtual void gradient_along(const Point& at, const Point& along, Gradient& out,
                              Gradient& derivative) const = 0;

  /// Standard errors of loss and gradient, by a separate pass over the chains that costs many
  /// gradients.
  virtual StandardErrors standard_errors(const Parameters& at) const = 0;
};

/// Upper bounds in bytes of what an objective takes: `peak` while it is made and evaluated, `kept`
/// between evaluations.
struct MemoryBound {
  double peak = 0.0, kept = 0.0;
};

/// Bounds of the host's memory for make_objective(), whatever the device, with standard errors, on
/// the threads of the Context; beside what drawing a sequence takes.
MemoryBound objective_memory(const Model& model, Index chains, Index length, Engine engine,
                             Device device);

/// The objective (2.4) on finite-context sequences. Draws every sequence of `source` and keeps only
/// its sufficient statistics (§4); the reference engine keeps tokens. Sequences are drawn twice if
/// windows are too many to be numbered by their digits, (d+1)^W·d above 2^62. `automatic` chooses
/// dense or sparse by estimated cost. The reference engine runs on the CPU, whatever the device.
/// Throws InputError: no sequence, L ≤ W with masked boundary, vocabulary of source ≠ vocabulary of
/// model; and for the device cuda: a cuda_fault(), a model that require_card() refuses, statistics
/// that do not fit the card. Memory of the host is not checked, see objective_memory().
std::unique_ptr<Objective> make_objective(const Model& model, const SequenceSource& source,
                                          Engine engine = Engine::automatic,
                                          Device device = Device::cpu);

}  // namespace gihflow
