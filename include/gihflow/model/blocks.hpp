#pragma once

// The blocks that training may move, as data: c, whose chart is the log-simplex of theory (3.3),
// and the plain ones. Points, gradients, standard errors, states, files and messages loop over this
// table, so that a new block is a member and a row here.

#include <array>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "gihflow/base/export.hpp"
#include "gihflow/base/types.hpp"
#include "gihflow/model/model.hpp"

namespace GIHFLOW_API gihflow {

/// The arrays of all plain blocks, or their derivatives, errors or directions; empty where the
/// model has none.
struct PlainBlocks {
  std::vector<double> w;      ///< [H, M] logits of the first attention, (2.1)
  double a = 0.0;             ///< scale of the second attention, (2.3)
  std::vector<double> query;  ///< Q [H, d, d], (2.6)
  std::vector<double> key;    ///< K [H, d, d], (2.6)
  std::vector<double> value;  ///< V [H, d, d], (2.7)
  std::vector<double> gain;   ///< γ [d], (2.8)
  std::vector<double> bias;   ///< β [d], (2.8)

  bool operator==(const PlainBlocks&) const = default;
};

/// What an integration error in a number of a block is compared with, beside the number itself.
/// one: 1, for logits; itself: nothing else; largest: the largest number of its head, for matrices.
enum class ErrorScale { one, itself, largest };

/// A row of the table of plain arrays. A block is the arrays of one letter.
struct PlainArray {
  char letter;          ///< of the block, as in `--stages`
  const char* name;     ///< in files
  const char* axes;     ///< "HM": [H, M]; "Hdd": [H, d, d]; "d": [d]; "": a number
  const char* meaning;  ///< for files and documents, with its formula
  const char* formula;
  const char* error_meaning;  ///< of its standard error
  ErrorScale scale;
  bool (*present)(const Model&);  ///< whether a model has it
  std::span<double> (*of)(PlainBlocks&);
  std::span<const double> (*in)(const PlainBlocks&);
  void (*assign)(PlainBlocks&, std::span<const double>);
};

namespace detail {
template <auto member>
constexpr PlainArray plain_array(char letter, const char* name, const char* axes,
                                 const char* meaning, const char* formula,
                                 const char* error_meaning, ErrorScale scale,
                                 bool (*present)(const Model&)) {
  return {letter,
          name,
          axes,
          meaning,
          formula,
          error_meaning,
          scale,
          present,
          [](PlainBlocks& x) { return std::span<double>(x.*member); },
          [](const PlainBlocks& x) { return std::span<const double>(x.*member); },
          [](PlainBlocks& x, std::span<const double> values) {
            (x.*member).assign(values.begin(), values.end());
          }};
}
constexpr bool always(const Model&) {
  return true;
}
constexpr bool with_token_scores(const Model& m) {
  return m.scores == Scores::tokens;
}
constexpr bool with_values(const Model& m) {
  return m.values == HeadValues::matrix;
}
constexpr bool with_layer_norm(const Model& m) {
  return m.head_normalization == HeadNormalization::layer;
}
}  // namespace detail

/// All of them, in the order of states and files; c comes before them.
inline constexpr std::array<PlainArray, 7> plain_arrays{{
    detail::plain_array<&PlainBlocks::w>('w', "w", "HM", "first-attention logits", "(2.1)",
                                         "standard error of the gradient in w", ErrorScale::one,
                                         detail::always),
    {'a', "a", "", "second-attention scale", "(2.3)", "standard error of the gradient in a",
     ErrorScale::itself, detail::always, [](PlainBlocks& x) { return std::span<double>(&x.a, 1); },
     [](const PlainBlocks& x) { return std::span<const double>(&x.a, 1); },
     [](PlainBlocks& x, std::span<const double> values) { x.a = values.front(); }},
    detail::plain_array<&PlainBlocks::query>('q', "query", "Hdd", "query matrices Q_h", "(2.6)",
                                             "standard error of the gradient in Q_h",
                                             ErrorScale::largest, detail::with_token_scores),
    detail::plain_array<&PlainBlocks::key>('k', "key", "Hdd", "key matrices K_h", "(2.6)",
                                           "standard error of the gradient in K_h",
                                           ErrorScale::largest, detail::with_token_scores),
    detail::plain_array<&PlainBlocks::value>('v', "value", "Hdd", "value matrices V_h", "(2.7)",
                                             "standard error of the gradient in V_h",
                                             ErrorScale::largest, detail::with_values),
    detail::plain_array<&PlainBlocks::gain>('n', "gain", "d", "gain of the layer norm", "(2.8)",
                                            "standard error of the gradient in the gain",
                                            ErrorScale::largest, detail::with_layer_norm),
    detail::plain_array<&PlainBlocks::bias>('n', "bias", "d", "bias of the layer norm", "(2.8)",
                                            "standard error of the gradient in the bias",
                                            ErrorScale::largest, detail::with_layer_norm),
}};

/// Shape of an array in a model, empty for a number; absent arrays have the shape that they would
/// have.
std::vector<Index> shape_of(const PlainArray& array, const Model& model);
/// Numbers of it: 0 where the model has none.
Index size_of(const PlainArray& array, const Model& model);
/// Letters of all blocks that a model may have, c first.
const std::string& all_block_letters();
/// Letters of the blocks of a model, "cwa" or more.
std::string letters_of(const Model& model);
/// Arrays of the model's sizes, all zero.
PlainBlocks zero_blocks(const Model& model);
/// Arrays of the same sizes, all zero.
PlainBlocks zeros_like(const PlainBlocks& blocks);
/// Σ x·y over all arrays.
double dot(const PlainBlocks& x, const PlainBlocks& y);

/// Blocks that a stage trains, whole or in part.
class BlockSet {
 public:
  BlockSet() = default;
  /// Letters, each once, in any order; a letter may be followed by what alone of it moves: heads of
  /// w, q, k and v, "w[1,3]", or sets of c, "c{1,2}{3}". Throws InputError with what is wrong with
  /// a text.
  BlockSet(std::string_view text);
  /// \overload
  BlockSet(const char* text) : BlockSet(std::string_view(text)) {}

  /// Whether it holds some of a block.
  bool has(char letter) const { return letters_.find(letter) != std::string::npos; }
  /// Whether it holds this block, whole, and no other.
  bool is_only(char letter) const { return text() == std::string(1, letter); }
  /// Whether nothing moves.
  bool empty() const { return letters_.empty(); }
  /// Whether row `head` (0-based) of an array of the block moves.
  bool has(char letter, Index head) const;
  /// Whether c_S moves, S as a mask of heads, see subsets().
  bool has_set(std::uint32_t set) const;
  /// Letters in the order of the table: "cwa".
  const std::string& letters() const { return letters_; }
  /// As it is parsed: "cwa", "cw[1]", "c{1,2}a".
  std::string text() const;
  /// Why it is no choice of a model's blocks: those, heads or sets that the model does not have. A
  /// sentence each, without its subject.
  std::vector<std::string> faults(const Model& model) const;

  bool operator==(const BlockSet&) const = default;

 private:
  struct Part {
    char letter;
    std::vector<Index> heads;         ///< 0-based, increasing
    std::vector<std::uint32_t> sets;  ///< of c, in the order of subsets()
    bool operator==(const Part&) const = default;
  };
  std::string letters_;
  std::vector<Part> parts_;  ///< of blocks that move in part only
};

/// A stretch of an array that moves as a whole: all of it, or the row of one head.
struct MovingPart {
  const PlainArray* array;
  Index head;   ///< 0-based; −1 for an array without heads
  Index begin;  ///< in the array
  Index size;

  /// Its numbers in arrays of those sizes.
  std::span<double> of(PlainBlocks& blocks) const {
    return array->of(blocks).subspan(static_cast<std::size_t>(begin),
                                     static_cast<std::size_t>(size));
  }
  /// \overload
  std::span<const double> in(const PlainBlocks& blocks) const {
    return array->in(blocks).subspan(static_cast<std::size_t>(begin),
                                     static_cast<std::size_t>(size));
  }
  /// Name of its i-th number (0-based) for messages: "w[1,2]" of head 1 at component 2, "a",
  /// "query[1,2,3]", indices from 1.
  std::string name(Index i) const;
};
/// What a stage moves of the plain arrays of a point, in the order of the table, row by row.
std::vector<MovingPart> moving_parts(const BlockSet& blocks, const PlainBlocks& sizes, Index heads);

}  // namespace gihflow
