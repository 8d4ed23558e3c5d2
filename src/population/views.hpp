#pragma once

// Plain views of the statistics and of one model point, the only types that the hot loops share
// with the rest of the program. No functions here: files compiled for several instruction sets
// include this header, and an inline function compiled for one set must never be linked into
// another.

#include <cstddef>
#include <cstdint>

namespace gihflow::hot {

/// Conventions and sizes of TF(M,H,d,D), letters as in theory §0.
struct ModelView {
  std::int64_t d, W, H, M;
  std::int64_t subsets;           ///< number of subsets [H]_{≤D}
  const std::uint32_t* masks;     ///< [subsets], bit h = head h
  const std::int32_t* parent;     ///< [subsets] index of S without its last head; −1 for ∅
  const std::int32_t* last;       ///< [subsets] that last head; −1 for ∅
  const std::int64_t* first_lag;  ///< [H], lag_h(1) − 1: 0 with shared windows, h with shifted
  std::int64_t patterns;          ///< W + 1 with partial windows, else 1
  bool l2;
  bool softmax;
  double epsilon;
  bool rectify;          ///< (2.8)
  double rectify_width;  ///< δ
};

/// What (4.5) adds to a norm before dividing by it.
inline constexpr double norm_guard = 1e-7;

/// The fixed logit of the own position, and what layer norm adds to the variance and rms to the
/// mean square: (2.6), (2.8), (2.10).
inline constexpr double own_logit = 1e-6, variance_guard = 1e-5;

/// Above this spread of a·k over windows e^{a·k} would underflow for a chain that lacks the best
/// window: each chain is then shifted by its own maximum.
inline constexpr double widest_spread = 600.0;

/// Window pairs are handled in packs of this many; groups are padded to whole packs.
inline constexpr std::int64_t pack = 8;

/// Up to so many lists of entries, one a (tile, token), a processor remembers how long each is.
inline constexpr std::int64_t remembered_lists = 4096;

/// (tile, token) pairs whose readouts the hot loops keep at once, unless one tile has more.
inline constexpr std::int64_t most_tile_tokens = 48;

/// Sufficient statistics (n, q, T) of §4 in tiles of `lanes` chains that share a query window.
///
/// group g: chains with the same query q; its pairs (Z, q) are the windows Z that occur in any of
/// its chains, the last one repeated to fill a pack. tile: `lanes` chains of one group; its entries
/// are the (Z, e) that occur in any of them, ordered by token e; count[entry, lane] = n(Z, e) of
/// that lane's chain. Lanes beyond the last chain of a group repeat the tile's first chain with T =
/// 0.
struct StatisticsView {
  const std::int64_t*
      group_pairs;  ///< [groups + 1] first pair of each group, multiples of the pack
  const std::int64_t* group_tiles;     ///< [groups + 1] first tile of each group
  const std::uint16_t* query_digits;   ///< [groups, W], digit j = token at lag j + 1
  const std::int32_t* query_existing;  ///< [groups] lags 1 … existing are not blank
  const std::uint16_t* pair_digits;    ///< [pairs / 8, W, 8]
  const std::int32_t* pair_existing;   ///< [pairs]
  const std::int64_t* tile_entries;    ///< [tiles · d + 1] first entry of (tile, token)
  const std::uint32_t* entry_pair;     ///< [entries] pair, counted from the group's first
  const void* entry_count;             ///< [entries, lanes] of the count type
  const double* targets;               ///< [tiles, d, lanes]
  bool batches;                        ///< several tiles' entries are one list, see TileBatch
  std::int64_t most_pairs;             ///< of a group
  // With a table of windows:
  const std::uint32_t* pair_window;   ///< [pairs] row of the window in the table
  const std::uint32_t* query_window;  ///< [groups]
  const std::int64_t* segment_pairs;  ///< [segments] sum of the pairs of those before; else null
};

/// Part of a group that one block works on.
struct Segment {
  std::int64_t group, tile_begin, tile_end;
};

/// The model point, with the direction of differentiation for dual evaluation (null otherwise).
struct PointView {
  const double* p;      ///< [subsets]
  const double* sigma;  ///< [patterns, H, M], each window pattern's own attention (4.4)
  double a;
  const double* p_along;
  const double* sigma_along;
  double a_along;
};

/// Sums over one block, doubles; dual evaluation has as many derivatives behind the values.
/// layout: loss, a: ΣB·k, p [subsets]: ΣB·κ_S (times a it is N·∂𝓛/∂p_S), sigma [patterns, H, M]:
/// N·∂𝓛/∂σ.
inline constexpr std::int64_t partial_loss = 0, partial_a = 1, partial_p = 2;

struct BlockTask {
  const ModelView* model;
  const StatisticsView* statistics;
  const PointView* point;
  const Segment* segments;
  std::int64_t segment_count;
  std::int64_t first_segment;  ///< number of the first
  double* scratch;             ///< as many numbers as BlockFunctions::scratch says, 64-byte aligned
  double* partial;             ///< 2 + subsets + patterns·H·M, twice that with dual: is added to
  bool with_loss, with_gradient;
  // With a table of windows, whose numbers come in packs; in dual evaluation every pack, and every
  // number that has none, is followed by its derivatives.
  const double* features;  ///< u [H·d, packs, 8]
  std::int64_t packs;
  double* pulls;        ///< ∂𝓛/∂⟨u_h(Z), u_h(q)⟩ [pairs of all segments / 8, H, 8]
  double* query_pulls;  ///< ∂𝓛/∂u_h(q) of a segment's pairs [segments, H, d]
};

using BlockFunction = void (*)(const BlockTask&);

/// Doubles of scratch that a block takes whose groups have at most so many pairs.
using ScratchFunction = std::int64_t (*)(const ModelView&, std::int64_t pairs);

/// Engines of one instruction set: [features: relative, table][dual][lanes: 1, 8][count bytes: 1,
/// 2, 4].
struct BlockFunctions {
  BlockFunction run[2][2][2][3];
  ScratchFunction scratch[2][2];
};

/// What lies between a model's parameters and the features of windows, and where the parameters
/// stand in an array of `numbers`.
struct FeatureModel {
  std::int64_t d, H, M, width;  ///< width: digits of a window
  const std::int64_t* digit;    ///< [H, M] digit that a component looks at; −1: none
  bool tokens, own_position, matrix, layer, l2, rms;
  bool attention_alone;  ///< attention depends on no token: derivatives in σ are wanted
  /// [H, M], QKᵀ [H, d + 1, d + 1] with zeros for what is not seen, [H, d, d], [d], [d], σ [H, M].
  std::int64_t w, scores, value, gain, bias, attention, numbers;
};

/// Some packs of windows. In dual evaluation every number of the block and of the sums is followed
/// by its derivative, every pack of u by its derivatives.
struct FeatureTask {
  const FeatureModel* model;
  const std::uint16_t* digits;  ///< [windows, width]
  const std::uint16_t* own;     ///< [windows] the own token; d: none
  const std::int64_t* list;     ///< [packs, 8] windows of each pack; null: all in order
  std::int64_t begin, end, packs;
  const double* block;  ///< [numbers] parameters
  double* scratch;      ///< 64-byte aligned
  double* u;     ///< u [H·d, packs, 8], or on the way back ∂/∂u [end − begin, H·d, 8]
  double* sums;  ///< [numbers] derivatives, on the way back
};

/// Where a window of the table occurs: a pair of a segment, and that pair's query.
struct WindowUse {
  std::uint32_t query;  ///< group
  std::int64_t slot;    ///< among the pairs of all segments
};

/// From the pulls at pairs to ∂/∂u of the windows of a table, see BlockTask.
struct PullTask {
  std::int64_t d, H, windows;  ///< windows: without queries
  /// u [groups, H·d], each number followed by its derivative, and eight that are not used.
  const double* query_features;
  const double* pulls;
  const std::int64_t* segment_pairs;
  std::int64_t whole_segments;  ///< those of groups whose pairs are all windows of the table
  const std::int64_t* whole_segment;
  const std::uint32_t* whole_query;  ///< their groups
  const std::int64_t* uses_begin;    ///< [windows + 1] of the other groups
  const WindowUse* uses;
};

/// [dual] of each
struct FeatureFunctions {
  void (*forward[2])(const FeatureTask&);
  void (*backward[2])(const FeatureTask&);
  /// Packs [begin, end) into [end − begin, H·d, 8], with room for H·d numbers.
  void (*collect[2])(const PullTask&, std::int64_t begin, std::int64_t end, double* u_bar,
                     double* room);
  std::int64_t (*scratch[2])(const FeatureModel&);
};

/// Eight numbers as the hot loops' arrays are aligned.
struct alignas(64) Line {
  double number[8];
};

/// Queries of a strip in infinite context.
inline constexpr std::int64_t strip = 2 * pack;

/// Some strips of queries in infinite context (5.1), beside all windows and some chains. Windows,
/// and queries, which are windows, stand in the order of WindowLaws. In dual evaluation every pack,
/// and of `sums` all numbers, are followed by their derivatives.
struct LawTask {
  const ModelView* model;
  const PointView* point;
  const double* features;  ///< u [H·d, packs, pack] of all windows
  std::int64_t windows, states;
  std::int64_t first, strips;  ///< of queries
  double* e;                   ///< [strips, windows, strip] E(Z, q)
  bool* wide;                  ///< [strips] a·k spreads so widely that e has a·k in place of E
  double* b;  ///< [strips, windows, strip] Σ over chains of B/E, or of B where the strip is wide
  // From E to b:
  std::int64_t chains;
  const double* law;           ///< [chains, stride] μ(Z), 0 behind the last window
  std::int64_t stride;         ///< windows in whole strips
  const std::uint32_t* state;  ///< [stride] of windows
  const double* next;          ///< [chains, d, states] T(e|s)
  bool with_loss, with_gradient;
  double* scratch;  ///< as many numbers as LawFunctions::scratch says, 64-byte aligned
  double* sums;     ///< loss, ΣB·k and ΣB·κ_S are added, see partial_loss
  double* u_bar;    ///< ∂/∂u [packs, H·d, pack] of all windows is added
};

/// [dual] of each: E; from E to b and loss; and from b to the other sums and ∂/∂u.
struct LawFunctions {
  void (*forward[2])(const LawTask&);
  void (*chains[2])(const LawTask&);
  void (*backward[2])(const LawTask&);
  std::int64_t (*scratch[2])(const LawTask&);
};

}  // namespace gihflow::hot
